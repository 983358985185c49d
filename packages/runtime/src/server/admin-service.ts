import { create } from "@bufbuild/protobuf";
import { type AuthorizationRequest, contentHashSchema, FlareError, type Json, jobIdSchema, limits, type Right } from "@flare-ts/contracts";
import {
  type CommandReply,
  CommandReplySchema,
  JobEventSchema,
  type SignedCommand,
  type JobEvent as WireJobEvent,
} from "@flare-ts/contracts/wire";
import type { TrustKeeper } from "@flare-ts/provision/kit";
import { z } from "zod";
import type { JobSummary, ResultFile, SiteProgress, SystemStatus } from "../admin/job-summary.js";
import { type CommandVerb, type VerifiedCommand, verifyCommand } from "../admin/signed-command.js";
import type { Admission } from "../budget/admission.js";
import type { DiskBudget } from "../budget/disk-budget.js";
import type { MemoryPlan } from "../budget/memory-plan.js";
import type { JournalEntry } from "../job/job-event.js";
import { isFinished, jobStatuses } from "../job/job-status.js";
import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText, type Logger } from "../logging/logger.js";
import type { Identity } from "../session/identity.js";
import type { JobRecord, ServerStore } from "../store/server-store.js";
import type { CallContext } from "../transport/connection.js";
import type { JobIntake } from "./job-intake.js";
import type { JobScheduler } from "./job-scheduler.js";
import type { JobTable } from "./job-table.js";
import type { JournalHub } from "./journal-hub.js";
import type { ObjectGrants } from "./object-grants.js";
import type { RenewalService } from "./renewal-service.js";
import { SeenCommands } from "./seen-commands.js";
import type { SiteDirectory } from "./site-directory.js";
import type { TrustService } from "./trust-service.js";

export interface AdminServiceComponents {
  readonly store: ServerStore;
  readonly hub: JournalHub;
  readonly jobs: JobTable;
  readonly scheduler: JobScheduler;
  readonly intake: JobIntake;
  readonly directory: SiteDirectory;
  readonly grants: ObjectGrants;
  readonly trust: TrustService;
  readonly renewals: Pick<RenewalService, "waiting" | "complete">;
  readonly keeper: Pick<TrustKeeper, "trust">;
  /** Knows which transfers wait. */
  readonly admission: Pick<Admission, "waiting">;
  readonly now: () => number;
  readonly audit: AuditLog;
  readonly logger: Logger;
  /** The server's own policy. */
  readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
}

export interface AdminServiceInit {
  readonly serverName: string;
  readonly project: string;
  readonly startedAtMs: number;
  readonly plan: Pick<MemoryPlan, "maxBytes">;
  readonly disk: Pick<DiskBudget, "maxBytes" | "usedBytes"> | undefined;
}

type Arguments = Readonly<Record<string, Json>>;
type Answer = (identity: Identity, args: Arguments) => Promise<Json>;

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
const abortArguments = z.strictObject({ job_id: jobIdSchema, reason: z.string().max(500) });

/** Commands of admins: each is verified by its signature, allowed by the server's policy, and audited. */
export class AdminService {
  readonly #parts: AdminServiceComponents;
  readonly #init: AdminServiceInit;
  /** Commands by session; each counts once. */
  readonly #seen = new Map<string, SeenCommands>();
  readonly #answers: Readonly<Record<Exclude<CommandVerb, "watch_job">, Answer>> = {
    submit_job: (identity, args) => this.#submit(identity, args),
    list_jobs: (identity, args) => this.#list(identity, args),
    get_job_meta: async (_identity, args) => this.#summary(await this.#job(args)) as unknown as Json,
    abort_job: (identity, args) => this.#abort(identity, args),
    get_receipts: (_identity, args) => this.#receipts(args),
    download_job: (identity, args) => this.#download(identity, args),
    check_status: async () => (await this.#status()) as unknown as Json,
    list_renewals: async (_identity, args) => {
      parseArguments(noArguments, args);
      return await Promise.resolve(this.#parts.renewals.waiting() as unknown as Json);
    },
    complete_renewal: async (_identity, args) => {
      const { id, certificate } = parseArguments(renewalArguments, args);
      return { name: (await this.#parts.renewals.complete(id, certificate)).name };
    },
    update_trust: async (_identity, args) =>
      (await this.#parts.trust.update(parseArguments(trustArguments, args).trust_list)) as unknown as Json,
  };

  constructor(components: AdminServiceComponents, init: AdminServiceInit) {
    this.#parts = components;
    this.#init = init;
  }

  async execute(context: CallContext, signed: SignedCommand): Promise<CommandReply> {
    const command = await this.#admit(context, signed);
    if (command.verb === "watch_job") throw new FlareError("runtime/bad-message", "watch_job is a stream, not a call.");
    const result = await this.#answers[command.verb](context.identity, command.args);
    return create(CommandReplySchema, { resultJson: JSON.stringify(result) });
  }

  /** Events of a job, the past first; ends after `job-ended`. */
  async *watch(context: CallContext, signed: SignedCommand): AsyncIterable<WireJobEvent> {
    const command = await this.#admit(context, signed);
    if (command.verb !== "watch_job") throw new FlareError("runtime/bad-message", `${command.verb} is a call, not a stream.`);
    const job = await this.#job(command.args);
    const queue: JournalEntry[] = [];
    let wake = Promise.withResolvers<void>();
    const stop = await this.#parts.hub.follow(job.jobId, (entry) => {
      queue.push(entry);
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
    const right: Right = verb === "watch_job" || verb === "get_receipts" ? "get_job_meta" : verb;
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
    return jobs.map((job) => this.#summary(job)) as unknown as Json;
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
    return { job: this.#summary(job) as unknown as Json, files: files as unknown as Json };
  }

  async #status(): Promise<SystemStatus> {
    const { serverName, project, startedAtMs, plan, disk } = this.#init;
    const { directory, jobs, scheduler, admission } = this.#parts;
    return {
      server: { name: serverName, project, startedAtMs },
      sites: directory.known(),
      runningJobs: jobs.all().map((job) => job.jobId),
      waitingJobs: scheduler.waitingJobs(),
      waitingTransfers: admission.waiting().map(({ who, what, reason, sinceMs }) => ({ who, what, reason, sinceMs })),
      budget: {
        maxMemoryBytes: plan.maxBytes ?? null,
        maxDiskBytes: disk?.maxBytes ?? null,
        usedDiskBytes: (await disk?.usedBytes()) ?? null,
      },
    };
  }

  /** What each site last said; one whose transfer waits here cannot know it. */
  #progressOf(jobId: string, apps: JobRecord["apps"]): JobSummary["progress"] {
    const progress: Record<string, SiteProgress> = { ...this.#parts.jobs.progressOf(jobId) };
    if (this.#parts.jobs.get(jobId) === undefined) return progress;
    const nowMs = this.#parts.now();
    for (const { who, reason, sinceMs } of this.#parts.admission.waiting()) {
      const { done, total } = progress[who] ?? { done: 0, total: 0 };
      if (Object.hasOwn(apps, who)) progress[who] = { phase: "waiting", done, total, reason, stillMs: nowMs - sinceMs, atMs: nowMs };
    }
    return progress;
  }

  async #job(args: Arguments): Promise<JobRecord> {
    const { job_id } = parseArguments(jobArgument, args);
    const job = await this.#parts.store.job(job_id);
    if (job === undefined) throw new FlareError("job/not-found", `There is no job ${job_id}.`, { facts: { job: job_id } });
    return job;
  }

  #summary(job: JobRecord): JobSummary {
    const { jobId, name, status, submitterName, submitterOrg, submitterRole, submitTimeMs, startTimeMs, endTimeMs, reason, apps } = job;
    return {
      jobId,
      name,
      status,
      submitterName,
      submitterOrg,
      submitterRole,
      submitTimeMs,
      startTimeMs: startTimeMs ?? null,
      endTimeMs: endTimeMs ?? null,
      reason: isFinished(status) ? reason : (this.#parts.scheduler.waitingFor(jobId) ?? ""),
      sites: Object.keys(apps).sort(),
      progress: this.#progressOf(jobId, apps),
    };
  }
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
