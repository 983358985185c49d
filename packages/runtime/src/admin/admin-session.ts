import { defaultStudy, type Json, limits } from "@flare-ts/contracts";
import type { Kit, TrustKeeper } from "@flare-ts/provision/kit";
import type { LiveIdentity } from "../identity/live-identity.js";
import type { JournalEntry } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import { addToEvaluations, type ModelEvaluation, noEvaluations } from "../job/model-evaluations.js";
import type { MachineResources } from "../operate/machine-resources.js";
import type { LevelWord } from "../operate/operation-arguments.js";
import type { OutputLine, OutputNews, OutputPage, TrackedPoint } from "../output/job-output.js";
import type { ReceiptsPage } from "../receipt/receipts-page.js";
import { verifyReceipts } from "../receipt/round-receipt.js";
import type { SignedReceipt } from "../receipt/signed-receipt.js";
import type { JobTrace } from "../trace/job-trace.js";
import { traceJournal } from "../trace/trace-journal.js";
import { abortable } from "../transfer/abortable.js";
import type { Connection } from "../transport/connection.js";
import type { AbortedJob, DownloadOptions, ListJobsFilter, ReadOutputOptions, SubmitOptions, TransferOptions } from "./admin-options.js";
import type { JobReceipts } from "./job-receipts.js";
import type { JobSummary, SystemChange, SystemStatus } from "./job-summary.js";
import { type DownloadedJob, type JobStatistics, JobTransfers } from "./job-transfers.js";
import { OperationCommands } from "./operation-commands.js";
import type { EndOptions, OperationOptions, OperationOutcome, OperationTarget, SiteAdmission } from "./operation-outcomes.js";
import { SignedCalls } from "./signed-calls.js";
import { StudyCommands } from "./study-commands.js";
import type { TransferStores } from "./transfer-stores.js";
import type { TrustUpdate } from "./trust-update.js";
import type { WaitingRenewal } from "./waiting-renewal.js";

interface AbortAnswer {
  readonly status: JobStatus;
  readonly was_over?: boolean;
}

export interface AdminSessionComponents {
  /** Opens a registered connection; the signal ends the attempt. */
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  readonly kit: Kit;
  /** Study that the admin works in. @default that of everybody */
  readonly study?: string | undefined;
  /** Whom the admin trusts. */
  readonly keeper: TrustKeeper;
  /** Keep what is on its way. */
  readonly stores: TransferStores;
  readonly now: () => number;
  /** Who the admin is. */
  readonly identity: LiveIdentity;
  /** The session is closed for good. */
  readonly onClose?: () => void;
}

/**
 * An admin's session at the server, in one study. Every command is signed by the admin's key, for that study.
 *
 * Calls may be made side by side. One whose signal is aborted throws `internal/aborted`, whatever it is aborted with; one that is
 * under way when the session is closed, or comes after that, throws `runtime/session-closed`. Arguments that the server cannot take
 * are `runtime/invalid-argument`.
 */
export class AdminSession {
  readonly #parts: AdminSessionComponents;
  readonly #calls: SignedCalls;
  readonly #transfers: JobTransfers;
  readonly #operations: OperationCommands;
  /** Commands about studies, in whichever study this session works. */
  readonly studies: StudyCommands;

  constructor(components: AdminSessionComponents) {
    const { dial, kit, study = defaultStudy, now } = components;
    this.#parts = components;
    this.#calls = new SignedCalls({ dial, project: kit.project, study, now });
    const receipts = (jobId: string, signal: AbortSignal): Promise<JobReceipts> => this.receipts(jobId, signal);
    const evaluations = (jobId: string, signal: AbortSignal): Promise<readonly ModelEvaluation[]> => this.evaluations(jobId, signal);
    this.#transfers = new JobTransfers({ ...components, calls: this.#calls, receipts, evaluations }, { study });
    this.#operations = new OperationCommands({ calls: this.#calls, status: (signal) => this.status(signal) });
    this.studies = new StudyCommands({ execute: (verb, args, signal) => this.#calls.execute(verb, args, signal) });
  }

  /** Connects now, so that what is wrong with kit or server is known at once; later calls connect by themselves. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#calls.whileOpen(signal, (either) => abortable(this.#calls.connect(), either));
    // Before files are sent, say: the server would refuse each command by itself.
    if (this.study !== defaultStudy) await this.#calls.execute("enter_study", {}, signal);
  }

  /** The study that this session works in. */
  get study(): string {
    return this.#parts.study ?? defaultStudy;
  }

  /** The certificates in force of admin and server, each with those between it and a root; PEM. */
  async certificatesInUse(signal?: AbortSignal): Promise<readonly { readonly name: string; readonly chainPem: string }[]> {
    const { kit, identity } = this.#parts;
    const { serverChainPem: shown } = await this.#calls.whileOpen(signal, (either) => abortable(this.#calls.connect(), either));
    // What is shown is of the old root for as long as that is trusted.
    const { serverChainPem = shown } = await this.status(signal);
    return [
      { name: kit.name, chainPem: identity.certificatePem },
      { name: kit.serverIdentity, chainPem: serverChainPem },
    ];
  }

  /**
   * Checks, signs and submits a job folder. A server that is away meanwhile is waited for, up to the stall time. Submitting is idempotent for a
   * `jobId` or a `submitToken`: a retry, with the same folder, does not make a second job.
   *
   * @throws FlareError `job/invalid` with all mistakes of the folder, `job/id-taken` when the id is that of other files, or what the
   * server refuses.
   */
  async submitJob(folder: string, options: SubmitOptions = {}): Promise<{ readonly jobId: string }> {
    return await this.#transfers.submit(folder, options);
  }

  async listJobs(filter: ListJobsFilter = {}, signal?: AbortSignal): Promise<readonly JobSummary[]> {
    const { statuses, submitToken, namePrefix, isOnlyMine, isReversed, limit } = filter;
    const idPrefix = submitToken === undefined ? filter.idPrefix : this.#transfers.idOfToken(submitToken);
    const args: Record<string, Json> = {
      ...(statuses === undefined ? {} : { statuses: [...statuses] }),
      ...(idPrefix === undefined ? {} : { id_prefix: idPrefix }),
      ...(namePrefix === undefined ? {} : { name_prefix: namePrefix }),
      ...(isOnlyMine === undefined ? {} : { is_only_mine: isOnlyMine }),
      ...(isReversed === undefined ? {} : { is_reversed: isReversed }),
    };
    const jobs: JobSummary[] = [];
    // A message has no room for those of years.
    for (;;) {
      const last = jobs.at(-1);
      const wanted = {
        ...(last === undefined ? {} : { after: last.jobId }),
        ...(limit === undefined ? {} : { limit: limit - jobs.length }),
      };
      const page = (await this.#calls.execute("list_jobs", { ...args, ...wanted }, signal)) as unknown as readonly JobSummary[];
      jobs.push(...page);
      if (page.length !== limits.jobsPerPage || jobs.length === limit) return jobs;
    }
  }

  async jobMeta(jobId: string, signal?: AbortSignal): Promise<JobSummary> {
    return (await this.#calls.execute("get_job_meta", { job_id: jobId }, signal)) as unknown as JobSummary;
  }

  /** Ends a job; one that was over before keeps its status and its reason. */
  async abortJob(jobId: string, reason = "", signal?: AbortSignal): Promise<AbortedJob> {
    const answer = (await this.#calls.execute("abort_job", { job_id: jobId, reason }, signal)) as unknown as AbortAnswer;
    // Servers of older versions do not say.
    return { status: answer.status, wasOver: answer.was_over ?? answer.status !== "FINISHED:ABORTED" };
  }

  /**
   * Submits a job once more, under one's own signature: the same files, which the server has, under a new id. The signature of the
   * first submission is verified before.
   *
   * @throws FlareError `job/not-found`, what `verifySignedJob` finds, or what the server refuses
   */
  async cloneJob(jobId: string, options: TransferOptions & { readonly newJobId?: string } = {}): Promise<{ readonly jobId: string }> {
    return await this.#transfers.clone(jobId, options);
  }

  /** Deletes a job that is over, with its result, journal and logs. @throws FlareError `job/not-over`, `job/not-found` */
  async deleteJob(jobId: string, signal?: AbortSignal): Promise<void> {
    await this.#calls.execute("delete_job", { job_id: jobId }, signal);
  }

  /** The journal of a job as it is now, after an entry. */
  async jobEvents(jobId: string, { after = 0, limit = 1000, signal }: ReadOutputOptions = {}): Promise<OutputPage<JournalEntry>> {
    const answer = await this.#calls.execute("read_job_output", { job_id: jobId, events_after: after, limit }, signal);
    return (answer as unknown as { events: OutputPage<JournalEntry> }).events;
  }

  /** Where the time of a job went, as far as it is: read from the journal, page by page. */
  async trace(jobId: string, signal?: AbortSignal): Promise<JobTrace> {
    const entries: JournalEntry[] = [];
    for await (const entry of this.#journalOf(jobId, signal)) entries.push(entry);
    return traceJournal(jobId, entries);
  }

  /** What the training scripts of a job tracked, after an entry. */
  async jobMetrics(jobId: string, { after = 0, limit = 1000, signal }: ReadOutputOptions = {}): Promise<OutputPage<TrackedPoint>> {
    const answer = await this.#calls.execute("read_job_output", { job_id: jobId, metrics_after: after, limit }, signal);
    return (answer as unknown as { metrics: OutputPage<TrackedPoint> }).metrics;
  }

  /** Log lines of a job, after an entry, of those sites that let them be read. */
  async jobLogs(jobId: string, { after = 0, limit = 1000, signal }: ReadOutputOptions = {}): Promise<OutputPage<OutputLine>> {
    const answer = await this.#calls.execute("read_job_output", { job_id: jobId, lines_after: after, limit }, signal);
    return (answer as unknown as { lines: OutputPage<OutputLine> }).lines;
  }

  /** What the sites of a job say after some entries, then live; ends soon after the job. What is not named is not told. */
  async *watchJobOutput(
    jobId: string,
    from: { readonly metricsAfter?: number; readonly linesAfter?: number },
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterable<OutputNews> {
    const { metricsAfter, linesAfter } = from;
    const args: Record<string, Json> = {
      job_id: jobId,
      ...(metricsAfter === undefined ? {} : { metrics_after: metricsAfter }),
      ...(linesAfter === undefined ? {} : { lines_after: linesAfter }),
    };
    yield* this.#calls.follow<OutputNews>("watch_job_output", args, options.signal);
  }

  /** The state of the federation, then what changes of it, until the signal is aborted. */
  async *watchSystem(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<SystemChange> {
    yield* this.#calls.follow<SystemChange>("watch_system", {}, options.signal);
  }

  /**
   * The journal of a job from its start, then live; ends after `job-ended`. `after` names the last entry that is known already, or
   * is -1 for what comes from now on; `job-ended` is told in any case.
   */
  async *watchJob(
    jobId: string,
    options: { readonly signal?: AbortSignal | undefined; readonly after?: number | undefined } = {},
  ): AsyncIterable<JournalEntry> {
    yield* this.#calls.watchJournal(jobId, options);
  }

  /**
   * The receipts of a job's rounds so far, from the first on, checked with whom this admin trusts. The server gives what its journal has: what
   * it has changed or lost since does not verify.
   */
  async receipts(jobId: string, signal?: AbortSignal): Promise<JobReceipts> {
    const receipts: SignedReceipt[] = [];
    let next: number | undefined;
    do {
      const args = { job_id: jobId, ...(next === undefined ? {} : { after: next }) };
      const page = (await this.#calls.execute("get_receipts", args, signal)) as unknown as ReceiptsPage;
      receipts.push(...page.receipts);
      ({ next } = page);
    } while (next !== undefined);
    const { keeper } = this.#parts;
    return { receipts, verdicts: verifyReceipts(receipts, { trust: keeper.trust, jobId }) };
  }

  /**
   * What sites have found of the models that they were given to evaluate, as far as the job is: one evaluation for each workflow that has them
   * do so. Read from the journal, page by page.
   */
  async evaluations(jobId: string, signal?: AbortSignal): Promise<readonly ModelEvaluation[]> {
    let known = noEvaluations;
    for await (const entry of this.#journalOf(jobId, signal)) known = addToEvaluations(known, entry);
    return known.evaluations;
  }

  /**
   * What came of the statistics of a finished job: one result for each workflow that asks for them, in FLARE's form.
   *
   * @throws FlareError `job/not-done`, what the server refuses
   */
  async statistics(jobId: string, options: Pick<TransferOptions, "signal" | "onAway"> = {}): Promise<readonly JobStatistics[]> {
    return await this.#transfers.statistics(jobId, options);
  }

  /**
   * Downloads the models of a finished job, the receipts of its rounds and what came of its evaluations into `<destination>/<job id>`, which
   * appears only when it is whole. A server that is away meanwhile is waited for, up to the stall time.
   *
   * @throws FlareError `file/exists`, `file/unwritable`, `transfer/disk-full`, `job/not-done`, what the server refuses
   */
  async downloadJob(jobId: string, destination: string, options: DownloadOptions = {}): Promise<DownloadedJob> {
    return await this.#transfers.download(jobId, destination, options);
  }

  async status(signal?: AbortSignal): Promise<SystemStatus> {
    return (await this.#calls.execute("check_status", {}, signal)) as unknown as SystemStatus;
  }

  /**
   * Has sites, the server, or all of them end in good order: sites first, then the server. What a job has done is kept, and it goes on when
   * they are started again. Each site asks its own policy; one that is not connected, refuses or does not answer is an outcome.
   *
   * @throws FlareError `auth/not-authorized` where the server refuses for itself; nothing was done then
   */
  async shutdown(target: OperationTarget, options?: EndOptions): Promise<readonly OperationOutcome[]> {
    return await this.#operations.end("shutdown", target, options);
  }

  /**
   * As `shutdown`, and whatever watches over them starts them again; waits until they are back. The session goes on with the new server.
   *
   * @throws FlareError `auth/not-authorized`, `runtime/not-watched` where the server refuses for itself; nothing was done then
   */
  async restart(target: OperationTarget, options?: EndOptions): Promise<readonly OperationOutcome[]> {
    return await this.#operations.end("restart", target, options);
  }

  /** What server and sites run on, and what of it is free now. */
  async reportResources(target: OperationTarget, options: OperationOptions = {}): Promise<readonly OperationOutcome<MachineResources>[]> {
    return await this.#operations.resources(target, options);
  }

  /** Changes how much processes write to their logs, until they end; `reload` is what their local/log_config.json says. Gives the level in force. */
  async configureSiteLog(
    level: LevelWord,
    target: OperationTarget,
    options: OperationOptions = {},
  ): Promise<readonly OperationOutcome<string>[]> {
    return await this.#operations.configureLog(level, target, options);
  }

  /**
   * Has the server keep a site out, through its restarts, until it is enabled again: what it has open is cut, and it leaves its jobs for good.
   *
   * @throws FlareError `auth/not-authorized`, `runtime/site-unknown` for one that is not of this study
   */
  async disableClient(
    site: string,
    { reason = "", signal }: { readonly reason?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<SiteAdmission> {
    return await this.#operations.disable(site, reason, signal);
  }

  /** Has the server let a site in again, which comes back by itself. @throws FlareError as `disableClient` */
  async enableClient(site: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<SiteAdmission> {
    return await this.#operations.enable(site, signal);
  }

  /**
   * Pushes a trust list: whoever is revoked by it is cut off at the server, and every site that is connected learns of it. The list's
   * own signatures are what counts; the list in force may be pushed again.
   *
   * @throws FlareError `trust/…` for a list that the server refuses, `auth/not-authorized`
   */
  async updateTrust(trustListText: string, signal?: AbortSignal): Promise<TrustUpdate> {
    const update = (await this.#calls.execute("update_trust", { trust_list: trustListText }, signal)) as unknown as TrustUpdate;
    await this.#adopt(trustListText);
    return update;
  }

  /** Requests for certificates that wait at the server to be signed with the project's key. @throws FlareError `auth/not-authorized` */
  async listRenewals(signal?: AbortSignal): Promise<readonly WaitingRenewal[]> {
    return (await this.#calls.execute("list_renewals", {}, signal)) as unknown as readonly WaitingRenewal[];
  }

  /**
   * Hands the server the certificate (with its chain, PEM) that was signed for a request; whoever waits for it is told at once.
   *
   * @throws FlareError `auth/renewal-refused` when it is not what was requested, `auth/not-authorized`
   */
  async completeRenewal(id: string, certificatePem: string, signal?: AbortSignal): Promise<{ readonly name: string }> {
    return (await this.#calls.execute("complete_renewal", { id, certificate: certificatePem }, signal)) as unknown as { name: string };
  }

  /**
   * Declines a request for a certificate that waits at the server: its participant is told, and makes another for another key.
   *
   * @throws FlareError `auth/renewal-refused` when no such request waits, `auth/not-authorized`
   */
  async declineRenewal(id: string, signal?: AbortSignal): Promise<{ readonly name: string }> {
    return (await this.#calls.execute("decline_renewal", { id }, signal)) as unknown as { name: string };
  }

  /** Ends the session, with the calls that are under way; once more does nothing. */
  close(): void {
    this.#parts.onClose?.();
    this.#calls.close();
  }

  /** The journal of a job as far as it is, from its first entry on. */
  async *#journalOf(jobId: string, signal: AbortSignal | undefined): AsyncGenerator<JournalEntry> {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const { entries, hasMore } = await this.jobEvents(jobId, { after, signal });
      yield* entries;
      after = hasMore ? entries.at(-1)?.seq : undefined;
    }
  }

  /** What the server has accepted counts for this admin too, unless its kit has missed a change of roots. */
  async #adopt(trustListText: string): Promise<void> {
    const { keeper, now } = this.#parts;
    try {
      keeper.accept(trustListText);
      await keeper.save();
    } catch {
      return;
    }
    const connection = await this.#calls.live;
    if (connection !== undefined && !keeper.trust.verify(connection.serverChainPem, { nowMs: now() }).ok) connection.close();
  }
}
