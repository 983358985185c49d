import { create } from "@bufbuild/protobuf";
import { type ContentHash, contentHashSchema, FlareError, type Json, jobIdSchema, limits } from "@flare-ts/contracts";
import {
  type AdminEvent,
  AdminEventSchema,
  type CommandReply,
  CommandReplySchema,
  JobEventSchema,
  type SignedCommand,
  type JobEvent as WireJobEvent,
} from "@flare-ts/contracts/wire";
import { z } from "zod";
import type { CommandVerb } from "../admin/signed-command.js";
import type { JournalEntry } from "../job/job-event.js";
import { isFinished, jobStatuses } from "../job/job-status.js";
import type { Logger } from "../logging/logger.js";
import { isOperationVerb, type OperationVerb } from "../operate/operation-verbs.js";
import { entriesThatFit } from "../output/entries-that-fit.js";
import type { OutputPage } from "../output/job-output.js";
import type { OutputArchive } from "../output/output-archive.js";
import { receiptsPage } from "../receipt/receipts-page.js";
import type { JobRecord, ServerStore } from "../store/server-store.js";
import { isStudyVerb, type StudyVerb } from "../study/study-verbs.js";
import type { CallContext } from "../transport/connection.js";
import type { Arguments, Caller, CommandGate } from "./command-gate.js";
import type { DefinitionReader } from "./job-definition.js";
import type { JobDeletion } from "./job-deletion.js";
import type { JobIntake } from "./job-intake.js";
import type { JobScheduler } from "./job-scheduler.js";
import type { JobSummaries } from "./job-summaries.js";
import type { JobTable } from "./job-table.js";
import type { JournalHub } from "./journal-hub.js";
import type { ObjectGrants } from "./object-grants.js";
import type { OperationService } from "./operation-service.js";
import type { OutputService } from "./output-service.js";
import { parseArguments } from "./parse-arguments.js";
import type { RenewalService } from "./renewal-service.js";
import { resultFiles } from "./result-files.js";
import type { StudyBoundary } from "./study-boundary.js";
import type { StudyService } from "./study-service.js";
import type { SystemWatch } from "./system-watch.js";
import type { TrustService } from "./trust-service.js";

export interface AdminServiceComponents {
  readonly gate: CommandGate;
  readonly boundary: Pick<StudyBoundary, "membership">;
  readonly studies: Pick<StudyService, "answers">;
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
  readonly operations: Pick<OperationService, "answer">;
  readonly logger: Logger;
}

type Answer = (caller: Caller, args: Arguments) => Promise<Json>;

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
  /** Last of the page before. */
  after: jobIdSchema.optional(),
  limit: z.int().positive().optional(),
});
const receiptsArguments = z.strictObject({
  job_id: jobIdSchema,
  /** As the page before says. @default 0 */
  after: z.int().nonnegative().optional(),
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
const abortArguments = z.strictObject({ job_id: jobIdSchema, reason: z.string().max(limits.abortReasonChars) });

/** Carries out commands of admins that the gate lets in, each within its study. */
export class AdminService {
  readonly #parts: AdminServiceComponents;
  readonly #answers: Readonly<Record<Exclude<CommandVerb, StreamVerb | StudyVerb | OperationVerb>, Answer>> = {
    enter_study: async ({ study }, args) => {
      parseArguments(noArguments, args);
      return await Promise.resolve({ study });
    },
    submit_job: (caller, args) => this.#submit(caller, args),
    list_jobs: (caller, args) => this.#list(caller, args),
    get_job_meta: async (caller, args) => this.#parts.summaries.of(await this.#job(caller, args)) as unknown as Json,
    abort_job: (caller, args) => this.#abort(caller, args),
    get_receipts: (caller, args) => this.#receipts(caller, args),
    download_job: (caller, args) => this.#download(caller, args),
    clone_job: (caller, args) => this.#clone(caller, args),
    delete_job: async (caller, args) => {
      await this.#parts.deletion.delete((await this.#job(caller, args)).jobId);
      return {};
    },
    read_job_output: (caller, args) => this.#readOutput(caller, args),
    check_status: async ({ study }) => (await this.#parts.system.status(study)) as unknown as Json,
    list_renewals: async (_caller, args) => {
      parseArguments(noArguments, args);
      return await Promise.resolve(this.#parts.renewals.waiting() as unknown as Json);
    },
    complete_renewal: async (_caller, args) => {
      const { id, certificate } = parseArguments(renewalArguments, args);
      return { name: (await this.#parts.renewals.complete(id, certificate)).name };
    },
    decline_renewal: async (_caller, args) => {
      const { id } = parseArguments(declineArguments, args);
      return { name: (await this.#parts.renewals.decline(id)).name };
    },
    update_trust: async (_caller, args) =>
      (await this.#parts.trust.update(parseArguments(trustArguments, args).trust_list)) as unknown as Json,
  };

  constructor(components: AdminServiceComponents) {
    this.#parts = components;
  }

  async execute(context: CallContext, signed: SignedCommand): Promise<CommandReply> {
    const { verb, args, caller } = await this.#parts.gate.admit(context, signed);
    if (isStreamVerb(verb)) throw new FlareError("runtime/bad-message", `${verb} is a stream, not a call.`);
    const result = await this.#answer(verb, args, caller, signed);
    return create(CommandReplySchema, { resultJson: JSON.stringify(result) });
  }

  /** Events of a job, the past first unless it is not wanted; ends after `job-ended`. */
  async *watch(context: CallContext, signed: SignedCommand): AsyncIterable<WireJobEvent> {
    const { verb, args, caller } = await this.#parts.gate.admit(context, signed);
    if (verb !== "watch_job") throw new FlareError("runtime/bad-message", `${verb} is a call, not a stream.`);
    const { job_id, after = 0 } = parseArguments(watchArguments, args);
    const membership = this.#parts.boundary.membership(caller);
    try {
      const signal = AbortSignal.any([context.signal, membership.signal]);
      yield* this.#watched(await this.#job(caller, { job_id }), after, signal);
      membership.signal.throwIfAborted();
    } finally {
      membership.end();
    }
  }

  /** What changes of the federation, or what the sites of a job say; the second ends some time after the job. */
  async *follow(context: CallContext, signed: SignedCommand): AsyncIterable<AdminEvent> {
    const { verb, args, caller } = await this.#parts.gate.admit(context, signed);
    const membership = this.#parts.boundary.membership(caller);
    try {
      const signal = AbortSignal.any([context.signal, membership.signal]);
      for await (const event of this.#followed(verb, args, caller, signal)) {
        yield create(AdminEventSchema, { eventJson: JSON.stringify(event) });
      }
      membership.signal.throwIfAborted();
    } finally {
      membership.end();
    }
  }

  #answer(verb: Exclude<CommandVerb, StreamVerb>, args: Arguments, caller: Caller, signed: SignedCommand): Promise<Json> {
    const { studies, operations } = this.#parts;
    if (isStudyVerb(verb)) return studies.answers[verb](caller, args);
    if (isOperationVerb(verb)) return operations.answer(verb, { caller, args, signed });
    return this.#answers[verb](caller, args);
  }

  async *#watched(job: JobRecord, after: number, signal: AbortSignal): AsyncGenerator<WireJobEvent, void, undefined> {
    const first = after < 0 ? ((await this.#parts.store.entries(job.jobId)).at(-1)?.seq ?? 0) : after;
    const queue: JournalEntry[] = [];
    let wake = Promise.withResolvers<void>();
    const stop = await this.#parts.hub.follow(job.jobId, (entry) => {
      // The end is told to everybody: nothing comes after it.
      if (entry.seq > first || entry.event.type === "job-ended") queue.push(entry);
      wake.resolve();
    });
    const onAbort = (): void => wake.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        for (const { jobId, seq, atMs, event } of queue.splice(0)) {
          yield create(JobEventSchema, { jobId, seq: BigInt(seq), atMs: BigInt(atMs), eventJson: JSON.stringify(event) });
          if (event.type === "job-ended") return;
        }
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      stop();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #submit(caller: Caller, args: Arguments): Promise<Json> {
    const { signed_job } = parseArguments(submitArguments, args);
    const { job, isNew } = await this.#parts.intake.accept(caller, signed_job);
    if (isNew) {
      this.#parts.logger.info("job submitted", { job: job.jobId, name: job.name, submitter: job.submitterName });
      this.#parts.scheduler.look();
    }
    return { job_id: job.jobId };
  }

  async #list(caller: Caller, args: Arguments): Promise<Json> {
    const { identity, study } = caller;
    const { limit = limits.jobsPerPage, after, ...filter } = parseArguments(listArguments, args);
    const { statuses, id_prefix, name_prefix, is_only_mine, is_reversed } = filter;
    // A job that was deleted since has no place in the list.
    if (after !== undefined) await this.#job(caller, { job_id: after });
    const jobs = await this.#parts.store.jobs({
      study,
      ...(statuses === undefined ? {} : { statuses }),
      ...(id_prefix === undefined ? {} : { idPrefix: id_prefix }),
      ...(name_prefix === undefined ? {} : { namePrefix: name_prefix }),
      ...(is_only_mine === true ? { submitterName: identity.name } : {}),
      ...(is_reversed === undefined ? {} : { isReversed: is_reversed }),
      ...(after === undefined ? {} : { after }),
      limit: Math.min(limit, limits.jobsPerPage),
    });
    return jobs.map((job) => this.#parts.summaries.of(job)) as unknown as Json;
  }

  async #abort(caller: Caller, args: Arguments): Promise<Json> {
    const { job_id, reason } = parseArguments(abortArguments, args);
    const { identity } = caller;
    const job = await this.#job(caller, { job_id });
    if (isFinished(job.status)) return { status: job.status, was_over: true };
    await this.#parts.scheduler.abort(job.jobId, reason === "" ? `aborted by ${identity.name}` : `aborted by ${identity.name}: ${reason}`);
    return { status: (await this.#job(caller, { job_id })).status, was_over: false };
  }

  async #receipts(caller: Caller, args: Arguments): Promise<Json> {
    const { job_id, after = 0 } = parseArguments(receiptsArguments, args);
    const { jobId } = await this.#job(caller, { job_id });
    return receiptsPage(await this.#parts.store.entries(jobId, after)) as unknown as Json;
  }

  async #download(caller: Caller, args: Arguments): Promise<Json> {
    const job = await this.#job(caller, args);
    if (!isFinished(job.status))
      throw new FlareError("job/not-done", `Job ${job.jobId} is ${job.status}; it has no result yet.`, {
        facts: { job: job.jobId, status: job.status },
      });
    const entries = await this.#parts.store.entries(job.jobId);
    const files = resultFiles(job, entries);
    this.#grant(
      caller,
      `download:${job.jobId}`,
      files.map((file) => contentHashSchema.parse(file.hash)),
    );
    return {
      job: this.#parts.summaries.of(job) as unknown as Json,
      files: files as unknown as Json,
      has_evaluations: entries.some(({ event }) => event.type === "round-opened" && event.evaluates !== undefined),
    };
  }

  /** Lets an admin read a job, whose files are here, to sign them anew. */
  async #clone(caller: Caller, args: Arguments): Promise<Json> {
    const { readDefinition } = this.#parts;
    const { jobId, signedJob } = await this.#job(caller, args);
    const { manifest } = await readDefinition(signedJob);
    this.#grant(caller, `clone:${jobId}`, [signedJob.hash, ...manifest.files.map((file) => file.sha256)]);
    return { signed_job: { hash: signedJob.hash, size: signedJob.size } };
  }

  async #readOutput(caller: Caller, args: Arguments): Promise<Json> {
    const { archive, jobs, output, store } = this.#parts;
    const { job_id, metrics_after, lines_after, events_after, limit = 1000 } = parseArguments(outputArguments, args);
    const { jobId } = await this.#job(caller, { job_id });
    const events = events_after === undefined ? undefined : pageOf(await store.entries(jobId, events_after, limit + 1), limit);
    const metrics = metrics_after === undefined ? undefined : await archive.metrics(jobId, metrics_after, limit);
    const lines = lines_after === undefined ? undefined : await archive.lines(jobId, lines_after, limit);
    if (jobs.get(jobId) === undefined) output.forget(jobId);
    return {
      ...(metrics === undefined ? {} : { metrics }),
      ...(lines === undefined ? {} : { lines }),
      ...(events === undefined ? {} : { events }),
    } as unknown as Json;
  }

  async *#followed(verb: CommandVerb, args: Arguments, caller: Caller, signal: AbortSignal): AsyncGenerator<object, void, undefined> {
    const { system, output, jobs } = this.#parts;
    if (verb === "watch_system") {
      parseArguments(noArguments, args);
      yield* system.follow(caller.study, signal);
    } else if (verb === "watch_job_output") {
      const { job_id, metrics_after, lines_after } = parseArguments(outputArguments, args);
      const { jobId } = await this.#job(caller, { job_id });
      yield* output.follow(jobId, { metrics: metrics_after, lines: lines_after }, signal);
      if (jobs.get(jobId) === undefined) output.forget(jobId);
    } else throw new FlareError("runtime/bad-message", `${verb} cannot be followed.`);
  }

  /** Lets an admin read objects for the sake of a job, unless the admin has left its study meanwhile. */
  #grant(caller: Caller, reason: string, hashes: readonly ContentHash[]): void {
    const membership = this.#parts.boundary.membership(caller);
    membership.end();
    membership.signal.throwIfAborted();
    this.#parts.grants.grant(caller.identity.name, reason, hashes);
  }

  async #job({ study }: Caller, args: Arguments): Promise<JobRecord> {
    const { job_id } = parseArguments(jobArgument, args);
    const job = await this.#parts.gate.jobOf(study, job_id);
    if (job === undefined) throw new FlareError("job/not-found", `There is no job ${job_id}.`, { facts: { job: job_id } });
    return job;
  }
}

const streamVerbs = ["watch_job", "watch_system", "watch_job_output"] as const;
type StreamVerb = (typeof streamVerbs)[number];

function pageOf(entries: readonly JournalEntry[], limit: number): OutputPage<JournalEntry> {
  const first = entriesThatFit(entries.slice(0, limit));
  return { entries: first, hasMore: entries.length > first.length, isCut: false };
}

function isStreamVerb(verb: CommandVerb): verb is StreamVerb {
  return (streamVerbs as readonly CommandVerb[]).includes(verb);
}
