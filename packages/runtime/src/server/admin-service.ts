import { create } from "@bufbuild/protobuf";
import { type AuthorizationRequest, contentHashSchema, FlareError, type Json, jobIdSchema, limits, type Right } from "@flare-ts/contracts";
import {
  type AdminEvent,
  AdminEventSchema,
  type CommandReply,
  CommandReplySchema,
  JobEventSchema,
  type SignedCommand,
  type JobEvent as WireJobEvent,
} from "@flare-ts/contracts/wire";
import type { TrustKeeper } from "@flare-ts/provision/kit";
import { z } from "zod";
import type { ResultFile } from "../admin/job-summary.js";
import { type CommandVerb, type VerifiedCommand, verifyCommand } from "../admin/signed-command.js";
import type { JournalEntry } from "../job/job-event.js";
import { isFinished, jobStatuses } from "../job/job-status.js";
import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText, type Logger } from "../logging/logger.js";
import type { OutputPage } from "../output/job-output.js";
import type { OutputArchive } from "../output/output-archive.js";
import type { Identity } from "../session/identity.js";
import type { JobRecord, ServerStore } from "../store/server-store.js";
import type { CallContext } from "../transport/connection.js";
import type { DefinitionReader } from "./job-definition.js";
import type { JobDeletion } from "./job-deletion.js";
import type { JobIntake } from "./job-intake.js";
import type { JobScheduler } from "./job-scheduler.js";
import type { JobSummaries } from "./job-summaries.js";
import type { JobTable } from "./job-table.js";
import type { JournalHub } from "./journal-hub.js";
import type { ObjectGrants } from "./object-grants.js";
import type { OutputService } from "./output-service.js";
import type { RenewalService } from "./renewal-service.js";
import { SeenCommands } from "./seen-commands.js";
import type { SystemWatch } from "./system-watch.js";
import type { TrustService } from "./trust-service.js";

export interface AdminServiceComponents {
  readonly store: ServerStore;
  readonly hub: JournalHub;
  readonly jobs: JobTable;
  readonly scheduler: JobScheduler;
  readonly intake: JobIntake;
  readonly summaries: JobSummaries;
  readonly system: SystemWatch;
  readonly output: OutputService;
  readonly archive: OutputArchive;
  readonly deletion: JobDeletion;
  readonly readDefinition: DefinitionReader;
  readonly grants: ObjectGrants;
  readonly trust: TrustService;
  readonly renewals: Pick<RenewalService, "waiting" | "complete" | "decline">;
  readonly keeper: Pick<TrustKeeper, "trust">;
  /** Knows which transfers wait. */
  readonly now: () => number;
  readonly audit: AuditLog;
  readonly logger: Logger;
  /** The server's own policy. */
  readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
}

type Arguments = Readonly<Record<string, Json>>;
type Answer = (identity: Identity, args: Arguments) => Promise<Json>;

const watchArguments = z.strictObject({
  job_id: jobIdSchema,
  /** Only what comes after this entry; -1 for what comes from now on. @default 0 */
  after: z.int().min(-1).optional(),
});
const jobArgument = z.strictObject({ job_id: jobIdSchema });
const listArguments = z.strictObject({
  statuses: z.array(z.enum(jobStatuses)).optional(),
  id_prefix: z.string().optional(),
  name_prefix: z.string().optional(),
  is_only_mine: z.boolean().optional(),
  is_reversed: z.boolean().optional(),
  limit: z.int().positive().optional(),
});
const submitArguments = z.strictObject({ signed_job: z.strictObject({ hash: contentHashSchema, size: z.int().positive() }) });
const trustArguments = z.strictObject({ trust_list: z.string() });
const noArguments = z.strictObject({});
const renewalArguments = z.strictObject({ id: z.string().max(64), certificate: z.string().max(limits.chainBytes) });
const declineArguments = renewalArguments.pick({ id: true });
const outputArguments = z.strictObject({
  job_id: jobIdSchema,
  /** Only what comes after these numbers; what is not named is not wanted. Those who follow may say -1: from now on. */
  metrics_after: z.int().min(-1).optional(),
  lines_after: z.int().min(-1).optional(),
  events_after: z.int().nonnegative().optional(),
  limit: z.int().min(1).max(10_000).optional(),
});
const abortArguments = z.strictObject({ job_id: jobIdSchema, reason: z.string().max(500) });

/** Commands of admins: each is verified by its signature, allowed by the server's policy, and audited. */
export class AdminService {
  readonly #parts: AdminServiceComponents;
  /** Commands by session; each counts once. */
  readonly #seen = new Map<string, SeenCommands>();
  readonly #answers: Readonly<Record<Exclude<CommandVerb, StreamVerb>, Answer>> = {
    submit_job: (identity, args) => this.#submit(identity, args),
    list_jobs: (identity, args) => this.#list(identity, args),
    get_job_meta: async (_identity, args) => this.#parts.summaries.of(await this.#job(args)) as unknown as Json,
    abort_job: (identity, args) => this.#abort(identity, args),
    get_receipts: (_identity, args) => this.#receipts(args),
    download_job: (identity, args) => this.#download(identity, args),
    clone_job: (identity, args) => this.#clone(identity, args),
    delete_job: async (_identity, args) => {
      await this.#parts.deletion.delete((await this.#job(args)).jobId);
      return {};
    },
    read_job_output: (_identity, args) => this.#readOutput(args),
    check_status: async () => (await this.#parts.system.status()) as unknown as Json,
    list_renewals: async (_identity, args) => {
      parseArguments(noArguments, args);
      return await Promise.resolve(this.#parts.renewals.waiting() as unknown as Json);
    },
    complete_renewal: async (_identity, args) => {
      const { id, certificate } = parseArguments(renewalArguments, args);
      return { name: (await this.#parts.renewals.complete(id, certificate)).name };
    },
    decline_renewal: async (_identity, args) => {
      const { id } = parseArguments(declineArguments, args);
      return { name: (await this.#parts.renewals.decline(id)).name };
    },
    update_trust: async (_identity, args) =>
      (await this.#parts.trust.update(parseArguments(trustArguments, args).trust_list)) as unknown as Json,
  };

  constructor(components: AdminServiceComponents) {
    this.#parts = components;
  }

  async execute(context: CallContext, signed: SignedCommand): Promise<CommandReply> {
    const command = await this.#admit(context, signed);
    const { verb, args } = command;
    if (isStreamVerb(verb)) throw new FlareError("runtime/bad-message", `${verb} is a stream, not a call.`);
    const result = await this.#answers[verb](context.identity, args);
    return create(CommandReplySchema, { resultJson: JSON.stringify(result) });
  }

  /** Events of a job, the past first unless it is not wanted; ends after `job-ended`. */
  async *watch(context: CallContext, signed: SignedCommand): AsyncIterable<WireJobEvent> {
    const command = await this.#admit(context, signed);
    if (command.verb !== "watch_job") throw new FlareError("runtime/bad-message", `${command.verb} is a call, not a stream.`);
    const { job_id, after = 0 } = parseArguments(watchArguments, command.args);
    const job = await this.#job({ job_id });
    const first = after < 0 ? ((await this.#parts.store.entries(job.jobId)).at(-1)?.seq ?? 0) : after;
    const queue: JournalEntry[] = [];
    let wake = Promise.withResolvers<void>();
    const stop = await this.#parts.hub.follow(job.jobId, (entry) => {
      // The end is told to everybody: nothing comes after it.
      if (entry.seq > first || entry.event.type === "job-ended") queue.push(entry);
      wake.resolve();
    });
    const onAbort = (): void => wake.resolve();
    context.signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!context.signal.aborted) {
        for (const { jobId, seq, atMs, event } of queue.splice(0)) {
          yield create(JobEventSchema, { jobId, seq: BigInt(seq), atMs: BigInt(atMs), eventJson: JSON.stringify(event) });
          if (event.type === "job-ended") return;
        }
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      stop();
      context.signal.removeEventListener("abort", onAbort);
    }
  }

  /** What changes of the federation, or what the sites of a job say; the second ends some time after the job. */
  async *follow(context: CallContext, signed: SignedCommand): AsyncIterable<AdminEvent> {
    const { verb, args } = await this.#admit(context, signed);
    for await (const event of this.#followed(verb, args, context.signal)) {
      yield create(AdminEventSchema, { eventJson: JSON.stringify(event) });
    }
  }

  /** A session is over: its nonces are forgotten. */
  forgetSession(sessionId: string): void {
    this.#seen.delete(sessionId);
  }

  async #admit(context: CallContext, signed: SignedCommand): Promise<VerifiedCommand> {
    const { identity, sessionId } = context;
    const { audit, keeper, now } = this.#parts;
    let verb = "unknown";
    try {
      const command = verifyCommand(signed, { identity, sessionId, trust: keeper.trust, nowMs: now() });
      ({ verb } = command);
      const seen = this.#seen.get(sessionId) ?? new SeenCommands();
      this.#seen.set(sessionId, seen);
      if (!seen.isFirst(command)) {
        throw new FlareError("auth/command-invalid", `A command of ${identity.name} is refused: it was sent before.`, {
          facts: { who: identity.name },
        });
      }
      await this.#authorize(identity, command);
      audit.write({ who: identity.name, action: verb, outcome: "allowed", facts: briefly(command.args) });
      return command;
    } catch (reason) {
      const error = FlareError.from(reason);
      audit.write({ who: identity.name, action: verb, outcome: "refused", code: error.code, reason: error.message });
      throw error;
    }
  }

  async #authorize(identity: Identity, { verb, args }: VerifiedCommand): Promise<void> {
    const right = rightFor(verb, args);
    const job = typeof args["job_id"] === "string" ? await this.#parts.store.job(args["job_id"]) : undefined;
    const { name, org, role } = identity;
    const submitter = job === undefined ? undefined : { name: job.submitterName, org: job.submitterOrg };
    const isPermitted = this.#parts.isAllowed({ right, user: { name, org, role }, ...(submitter === undefined ? {} : { submitter }) });
    if (!isPermitted) {
      throw new FlareError("auth/not-authorized", `${name} (${role} of ${org}) may not ${verb} here.`, {
        facts: { who: name, role, right },
      });
    }
  }

  async #submit(identity: Identity, args: Arguments): Promise<Json> {
    const { signed_job } = parseArguments(submitArguments, args);
    const { job, isNew } = await this.#parts.intake.accept(identity, signed_job);
    if (isNew) {
      this.#parts.logger.info("job submitted", { job: job.jobId, name: job.name, submitter: job.submitterName });
      this.#parts.scheduler.look();
    }
    return { job_id: job.jobId };
  }

  async #list(identity: Identity, args: Arguments): Promise<Json> {
    const { statuses, id_prefix, name_prefix, is_only_mine, is_reversed, limit } = parseArguments(listArguments, args);
    const jobs = await this.#parts.store.jobs({
      ...(statuses === undefined ? {} : { statuses }),
      ...(id_prefix === undefined ? {} : { idPrefix: id_prefix }),
      ...(name_prefix === undefined ? {} : { namePrefix: name_prefix }),
      ...(is_only_mine === true ? { submitterName: identity.name } : {}),
      ...(is_reversed === undefined ? {} : { isReversed: is_reversed }),
      ...(limit === undefined ? {} : { limit }),
    });
    return jobs.map((job) => this.#parts.summaries.of(job)) as unknown as Json;
  }

  async #abort(identity: Identity, args: Arguments): Promise<Json> {
    const { job_id, reason } = parseArguments(abortArguments, args);
    const job = await this.#job({ job_id });
    if (isFinished(job.status)) return { status: job.status };
    await this.#parts.scheduler.abort(job.jobId, reason === "" ? `aborted by ${identity.name}` : `aborted by ${identity.name}: ${reason}`);
    return { status: (await this.#job({ job_id })).status };
  }

  async #receipts(args: Arguments): Promise<Json> {
    const { jobId } = await this.#job(args);
    const entries = await this.#parts.store.entries(jobId);
    const receipts = entries.flatMap(({ event }) => {
      if (event.type !== "round-receipt") return [];
      const { document, signature, certificate } = event;
      return [{ document, signature, certificate }];
    });
    return { receipts };
  }

  async #download(identity: Identity, args: Arguments): Promise<Json> {
    const job = await this.#job(args);
    if (!isFinished(job.status))
      throw new FlareError("job/not-done", `Job ${job.jobId} is ${job.status}; it has no result yet.`, {
        facts: { job: job.jobId, status: job.status },
      });
    const entries = await this.#parts.store.entries(job.jobId);
    const best = entries.flatMap(({ event }) => (event.type === "best-model" ? [event.model] : [])).at(-1);
    const files: ResultFile[] = [
      ...(job.result === undefined ? [] : [{ path: "models/FL_global_model.safetensors", ...job.result }]),
      ...(best === undefined ? [] : [{ path: "models/best_FL_global_model.safetensors", ...best }]),
    ];
    this.#parts.grants.grant(
      identity.name,
      `download:${job.jobId}`,
      files.map((file) => contentHashSchema.parse(file.hash)),
    );
    return { job: this.#parts.summaries.of(job) as unknown as Json, files: files as unknown as Json };
  }

  /** Lets an admin read the signed form of a job, whose files are here, to sign them anew. */
  async #clone(identity: Identity, args: Arguments): Promise<Json> {
    const { readDefinition, grants } = this.#parts;
    const { jobId, signedJob } = await this.#job(args);
    await readDefinition(signedJob);
    grants.grant(identity.name, `clone:${jobId}`, [signedJob.hash]);
    return { signed_job: { hash: signedJob.hash, size: signedJob.size } };
  }

  async #readOutput(args: Arguments): Promise<Json> {
    const { archive, jobs, output, store } = this.#parts;
    const { job_id, metrics_after, lines_after, events_after, limit = 1000 } = parseArguments(outputArguments, args);
    const { jobId } = await this.#job({ job_id });
    const events = events_after === undefined ? undefined : pageOf(await store.entries(jobId, events_after), limit);
    const metrics = metrics_after === undefined ? undefined : await archive.metrics(jobId, metrics_after, limit);
    const lines = lines_after === undefined ? undefined : await archive.lines(jobId, lines_after, limit);
    if (jobs.get(jobId) === undefined) output.forget(jobId);
    return {
      ...(metrics === undefined ? {} : { metrics }),
      ...(lines === undefined ? {} : { lines }),
      ...(events === undefined ? {} : { events }),
    } as unknown as Json;
  }

  async *#followed(verb: CommandVerb, args: Arguments, signal: AbortSignal): AsyncGenerator<object, void, undefined> {
    const { system, output, jobs } = this.#parts;
    if (verb === "watch_system") {
      parseArguments(noArguments, args);
      yield* system.follow(signal);
    } else if (verb === "watch_job_output") {
      const { job_id, metrics_after, lines_after } = parseArguments(outputArguments, args);
      const { jobId } = await this.#job({ job_id });
      yield* output.follow(jobId, { metrics: metrics_after, lines: lines_after }, signal);
      if (jobs.get(jobId) === undefined) output.forget(jobId);
    } else throw new FlareError("runtime/bad-message", `${verb} cannot be followed.`);
  }

  async #job(args: Arguments): Promise<JobRecord> {
    const { job_id } = parseArguments(jobArgument, args);
    const job = await this.#parts.store.job(job_id);
    if (job === undefined) throw new FlareError("job/not-found", `There is no job ${job_id}.`, { facts: { job: job_id } });
    return job;
  }
}

const streamVerbs = ["watch_job", "watch_system", "watch_job_output"] as const;
type StreamVerb = (typeof streamVerbs)[number];

function pageOf(entries: readonly JournalEntry[], limit: number): OutputPage<JournalEntry> {
  return { entries: entries.slice(0, limit), hasMore: entries.length > limit, isCut: false };
}

function isStreamVerb(verb: CommandVerb): verb is StreamVerb {
  return (streamVerbs as readonly CommandVerb[]).includes(verb);
}

/** The right that a command needs. Log lines may hold more than a model does, and need the same right as the result. */
function rightFor(verb: CommandVerb, args: Arguments): Right {
  if (verb === "watch_job" || verb === "get_receipts") return "get_job_meta";
  if (verb === "watch_system") return "check_status";
  if (verb !== "watch_job_output" && verb !== "read_job_output") return verb;
  return args["lines_after"] === undefined ? "get_job_meta" : "download_job";
}

/** Arguments as they may stand in a line of the audit log. */
function briefly(args: Arguments): Arguments {
  const text = JSON.stringify(args);
  return text.length <= limits.peerTextChars ? args : { cut: capPeerText(text) };
}

/** @throws FlareError `runtime/bad-message` */
function parseArguments<Schema extends z.ZodType>(schema: Schema, args: Arguments): z.output<Schema> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new FlareError(
    "runtime/bad-message",
    `The arguments of a command are wrong${where === "" ? "" : ` at '${where}'`}: ${issue?.message ?? ""}.`,
    {
      facts: { where },
    },
  );
}
