import { randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { contentHashSchema, defaultStudy, FlareError, type Json } from "@flare-ts/contracts";
import type { CommandReply } from "@flare-ts/contracts/wire";
import type { Kit, TrustKeeper } from "@flare-ts/provision/kit";
import type { LiveIdentity } from "../identity/live-identity.js";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import { readJobFolder } from "../job/read-job-folder.js";
import { createSignedJob } from "../job/signed-job.js";
import type { OutputLine, OutputNews, OutputPage, TrackedPoint } from "../output/job-output.js";
import { verifyReceipts } from "../receipt/round-receipt.js";
import type { SignedReceipt } from "../receipt/signed-receipt.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { TransferClient } from "../transfer/transfer-client.js";
import type { Connection } from "../transport/connection.js";
import { cloneManifest } from "./clone-manifest.js";
import type { JobReceipts } from "./job-receipts.js";
import type { JobSummary, ResultFile, SystemChange, SystemStatus } from "./job-summary.js";
import { type CommandVerb, signCommand } from "./signed-command.js";
import { StudyCommands } from "./study-commands.js";
import type { TrustUpdate } from "./trust-update.js";
import type { WaitingRenewal } from "./waiting-renewal.js";

/** How far an upload or a download is. */
export interface TransferProgress {
  /** Path inside the job or the result. */
  readonly file: string;
  /** Bytes of this file that are through. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface TransferOptions {
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListJobsFilter {
  readonly statuses?: readonly JobStatus[];
  readonly idPrefix?: string;
  readonly namePrefix?: string;
  readonly isOnlyMine?: boolean;
  readonly isReversed?: boolean;
  readonly limit?: number;
}

export interface ReadOutputOptions {
  /** Only what comes after this number. @default 0 */
  readonly after?: number | undefined;
  /** @default 1000 */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AdminSessionComponents {
  /** Opens a registered connection. */
  readonly dial: () => Promise<Connection>;
  readonly kit: Kit;
  /** Study that the admin works in. @default that of everybody */
  readonly study?: string | undefined;
  /** Whom the admin trusts. */
  readonly keeper: TrustKeeper;
  /** Keeps what is on its way, so that a transfer goes on where it was. */
  readonly models: ModelStore;
  readonly transfer: TransferClient;
  readonly now: () => number;
  /** Who the admin is. */
  readonly identity: LiveIdentity;
  /** The session is closed for good. */
  readonly onClose?: () => void;
}

/** An admin's session at the server, in one study. Every command is signed by the admin's key, for that study. */
export class AdminSession {
  readonly #parts: AdminSessionComponents;
  /** Commands about studies, in whichever study this session works. */
  readonly studies = new StudyCommands({ execute: (verb, args) => this.#execute(verb, args) });
  #live: Promise<Connection> | undefined;

  constructor(components: AdminSessionComponents) {
    this.#parts = components;
  }

  /** Connects now, so that what is wrong with kit or server is known at once; later calls connect by themselves. */
  async open(): Promise<void> {
    await this.#connect();
    // Before files are sent, say: the server would refuse each command by itself.
    if (this.study !== defaultStudy) await this.#execute("enter_study", {});
  }

  /** The study that this session works in. */
  get study(): string {
    return this.#parts.study ?? defaultStudy;
  }

  /** The certificates in force of admin and server, each with those between it and a root; PEM. */
  async certificatesInUse(): Promise<readonly { readonly name: string; readonly chainPem: string }[]> {
    const { kit, identity } = this.#parts;
    const { serverChainPem: shown } = await this.#connect();
    // What is shown is of the old root for as long as that is trusted.
    const { serverChainPem = shown } = await this.status();
    return [
      { name: kit.name, chainPem: identity.certificatePem },
      { name: kit.serverIdentity, chainPem: serverChainPem },
    ];
  }

  /**
   * Checks, signs and submits a job folder. Submitting is idempotent for a `jobId`: a retry after a cut does not make a
   * second job.
   *
   * @throws FlareError `job/invalid` with all mistakes of the folder, or what the server refuses.
   */
  async submitJob(folder: string, options: TransferOptions & { readonly jobId?: string } = {}): Promise<{ readonly jobId: string }> {
    const { kit, identity, models, now } = this.#parts;
    const { onProgress, signal, jobId = randomUUID() } = options;
    const job = await readJobFolder(folder);
    const signed = await models.importBytes(
      createSignedJob({ folder: job, jobId, project: kit.project, study: this.study, submitter: identity.current, nowMs: now() }),
    );
    for (const file of job.files) {
      const object = await models.importFile(file.absolutePath);
      await this.#upload(object, file.path, onProgress, signal);
      await models.remove(object.hash);
    }
    await this.#upload(signed, "signed job", onProgress, signal);
    await this.#execute("submit_job", { signed_job: { hash: signed.hash, size: signed.size } }, signal);
    await models.remove(signed.hash);
    return { jobId };
  }

  async listJobs(filter: ListJobsFilter = {}, signal?: AbortSignal): Promise<readonly JobSummary[]> {
    const { statuses, idPrefix, namePrefix, isOnlyMine, isReversed, limit } = filter;
    const args: Record<string, Json> = {
      ...(statuses === undefined ? {} : { statuses: [...statuses] }),
      ...(idPrefix === undefined ? {} : { id_prefix: idPrefix }),
      ...(namePrefix === undefined ? {} : { name_prefix: namePrefix }),
      ...(isOnlyMine === undefined ? {} : { is_only_mine: isOnlyMine }),
      ...(isReversed === undefined ? {} : { is_reversed: isReversed }),
      ...(limit === undefined ? {} : { limit }),
    };
    return (await this.#execute("list_jobs", args, signal)) as unknown as readonly JobSummary[];
  }

  async jobMeta(jobId: string, signal?: AbortSignal): Promise<JobSummary> {
    return (await this.#execute("get_job_meta", { job_id: jobId }, signal)) as unknown as JobSummary;
  }

  /** Ends a job; one that is over keeps its status, which is returned. */
  async abortJob(jobId: string, reason = "", signal?: AbortSignal): Promise<{ readonly status: JobStatus }> {
    return (await this.#execute("abort_job", { job_id: jobId, reason }, signal)) as unknown as { status: JobStatus };
  }

  /**
   * Submits a job once more, under one's own signature: the same files, which the server has, under a new id. The signature of the
   * first submission is verified before.
   *
   * @throws FlareError `job/not-found`, what `verifySignedJob` finds, or what the server refuses
   */
  async cloneJob(jobId: string, options: TransferOptions & { readonly newJobId?: string } = {}): Promise<{ readonly jobId: string }> {
    const { kit, keeper, identity, models, transfer, now } = this.#parts;
    const { signal, onProgress, newJobId = randomUUID() } = options;
    const answer = (await this.#execute("clone_job", { job_id: jobId }, signal)) as unknown as { signed_job: ObjectRef };
    const { hash, size } = answer.signed_job;
    const held = await transfer.download(this.#connect, { hash: contentHashSchema.parse(hash), size }, undefined, signal);
    const bytes = await readFile(held.path);
    const signed = await models.importBytes(
      cloneManifest({ bytes, trust: keeper.trust, jobId, newJobId, project: kit.project, submitter: identity.current, nowMs: now() }),
    );
    await this.#upload(signed, "signed job", onProgress, signal);
    await this.#execute("submit_job", { signed_job: { hash: signed.hash, size: signed.size } }, signal);
    await models.remove(signed.hash);
    await models.remove(held.hash);
    return { jobId: newJobId };
  }

  /** Deletes a job that is over, with its result, journal and logs. @throws FlareError `job/not-over`, `job/not-found` */
  async deleteJob(jobId: string, signal?: AbortSignal): Promise<void> {
    await this.#execute("delete_job", { job_id: jobId }, signal);
  }

  /** The journal of a job as it is now, after an entry. */
  async jobEvents(jobId: string, { after = 0, limit = 1000, signal }: ReadOutputOptions = {}): Promise<OutputPage<JournalEntry>> {
    const answer = await this.#execute("read_job_output", { job_id: jobId, events_after: after, limit }, signal);
    return (answer as unknown as { events: OutputPage<JournalEntry> }).events;
  }

  /** What the training scripts of a job tracked, after an entry. */
  async jobMetrics(jobId: string, { after = 0, limit = 1000, signal }: ReadOutputOptions = {}): Promise<OutputPage<TrackedPoint>> {
    const answer = await this.#execute("read_job_output", { job_id: jobId, metrics_after: after, limit }, signal);
    return (answer as unknown as { metrics: OutputPage<TrackedPoint> }).metrics;
  }

  /** Log lines of a job, after an entry, of those sites that let them be read. */
  async jobLogs(jobId: string, { after = 0, limit = 1000, signal }: ReadOutputOptions = {}): Promise<OutputPage<OutputLine>> {
    const answer = await this.#execute("read_job_output", { job_id: jobId, lines_after: after, limit }, signal);
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
    yield* this.#follow<OutputNews>("watch_job_output", args, options.signal);
  }

  /** The state of the federation, then what changes of it, until the signal is aborted. */
  async *watchSystem(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<SystemChange> {
    yield* this.#follow<SystemChange>("watch_system", {}, options.signal);
  }

  /**
   * The journal of a job from its start, then live; ends after `job-ended`. `after` names the last entry that is known already, or
   * is -1 for what comes from now on; `job-ended` is told in any case.
   */
  async *watchJob(
    jobId: string,
    options: { readonly signal?: AbortSignal | undefined; readonly after?: number | undefined } = {},
  ): AsyncIterable<JournalEntry> {
    const connection = await this.#connect();
    let hasBegun = false;
    try {
      for await (const entry of this.#watch(connection, jobId, options)) {
        hasBegun = true;
        yield entry;
      }
    } catch (reason) {
      if (hasBegun) throw reason;
      yield* this.#watch(await this.#reconnect(connection, reason), jobId, options);
    }
  }

  /**
   * The receipts of a job's rounds so far, from the first on, checked with whom this admin trusts. The server gives what its journal has: what
   * it has changed or lost since does not verify.
   */
  async receipts(jobId: string, signal?: AbortSignal): Promise<JobReceipts> {
    const { receipts } = (await this.#execute("get_receipts", { job_id: jobId }, signal)) as unknown as {
      receipts: readonly SignedReceipt[];
    };
    const { keeper } = this.#parts;
    return { receipts, verdicts: verifyReceipts(receipts, { trust: keeper.trust, jobId }) };
  }

  /** Downloads the models of a finished job and the receipts of its rounds into `<destination>/<job id>`, which appears only when it is whole. */
  async downloadJob(
    jobId: string,
    destination: string,
    options: TransferOptions & {
      /** Whether a result that is there gives way, once the new one is whole. @default false */
      readonly isReplacing?: boolean;
    } = {},
  ): Promise<{ readonly dir: string; readonly files: readonly ResultFile[] }> {
    const { models, transfer } = this.#parts;
    const { onProgress, signal, isReplacing = false } = options;
    const dir = resolve(destination, jobId);
    const draft = `${dir}.part`;
    const { job, files } = (await this.#execute("download_job", { job_id: jobId }, signal)) as unknown as {
      job: JobSummary;
      files: readonly ResultFile[];
    };
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    try {
      for (const file of files) {
        const target = resolve(draft, file.path);
        if (!target.startsWith(draft + sep))
          throw new FlareError("runtime/bad-message", "The server names a result file outside the result's folder.");
        const object = { hash: contentHashSchema.parse(file.hash), size: file.size };
        const held = await transfer.download(
          this.#connect,
          object,
          (doneBytes) => onProgress?.({ file: file.path, doneBytes, totalBytes: file.size }),
          signal,
        );
        await mkdir(dirname(target), { recursive: true });
        await copyFile(held.path, target);
        // Objects of the store are read-only; the copy belongs to the person who asked for it.
        await chmod(target, 0o644);
      }
      await writeFile(join(draft, "receipts.json"), `${JSON.stringify((await this.receipts(jobId, signal)).receipts, undefined, 2)}\n`);
      await writeFile(join(draft, "job_meta.json"), `${JSON.stringify(job, undefined, 2)}\n`);
      if (isReplacing) await rm(dir, { recursive: true, force: true });
      await rename(draft, dir);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if ((error as NodeJS.ErrnoException).code === "ENOTEMPTY")
        throw new FlareError("file/exists", `${dir} is there already.`, { facts: { path: dir } });
      throw error;
    }
    for (const file of files) await models.remove(contentHashSchema.parse(file.hash));
    return { dir, files };
  }

  async status(signal?: AbortSignal): Promise<SystemStatus> {
    return (await this.#execute("check_status", {}, signal)) as unknown as SystemStatus;
  }

  /**
   * Pushes a trust list: whoever is revoked by it is cut off at the server, and every site that is connected learns of it. The list's
   * own signatures are what counts; the list in force may be pushed again.
   *
   * @throws FlareError `trust/…` for a list that the server refuses, `auth/not-authorized`
   */
  async updateTrust(trustListText: string, signal?: AbortSignal): Promise<TrustUpdate> {
    const update = (await this.#execute("update_trust", { trust_list: trustListText }, signal)) as unknown as TrustUpdate;
    await this.#adopt(trustListText);
    return update;
  }

  /** Requests for certificates that wait at the server to be signed with the project's key. @throws FlareError `auth/not-authorized` */
  async listRenewals(signal?: AbortSignal): Promise<readonly WaitingRenewal[]> {
    return (await this.#execute("list_renewals", {}, signal)) as unknown as readonly WaitingRenewal[];
  }

  /**
   * Hands the server the certificate (with its chain, PEM) that was signed for a request; whoever waits for it is told at once.
   *
   * @throws FlareError `auth/renewal-refused` when it is not what was requested, `auth/not-authorized`
   */
  async completeRenewal(id: string, certificatePem: string, signal?: AbortSignal): Promise<{ readonly name: string }> {
    return (await this.#execute("complete_renewal", { id, certificate: certificatePem }, signal)) as unknown as { name: string };
  }

  /**
   * Declines a request for a certificate that waits at the server: its participant is told, and makes another for another key.
   *
   * @throws FlareError `auth/renewal-refused` when no such request waits, `auth/not-authorized`
   */
  async declineRenewal(id: string, signal?: AbortSignal): Promise<{ readonly name: string }> {
    return (await this.#execute("decline_renewal", { id }, signal)) as unknown as { name: string };
  }

  close(): void {
    this.#parts.onClose?.();
    this.#live?.then((connection) => connection.close()).catch(() => undefined);
  }

  /** The live connection, or a new one after the last has broken. */
  readonly #connect = (): Promise<Connection> => {
    if (this.#live !== undefined) return this.#live;
    const dialled = this.#parts.dial();
    this.#live = dialled;
    const forget = (): void => {
      if (this.#live === dialled) this.#live = undefined;
    };
    dialled.then((connection) => connection.closed.then(forget), forget);
    return dialled;
  };

  /** What the server has accepted counts for this admin too, unless its kit has missed a change of roots. */
  async #adopt(trustListText: string): Promise<void> {
    const { keeper, now } = this.#parts;
    try {
      keeper.accept(trustListText);
      await keeper.save();
    } catch {
      return;
    }
    const connection = await this.#live?.catch(() => undefined);
    if (connection !== undefined && !keeper.trust.verify(connection.serverChainPem, { nowMs: now() }).ok) connection.close();
  }

  async *#watch(
    connection: Connection,
    jobId: string,
    { signal, after }: { readonly signal?: AbortSignal | undefined; readonly after?: number | undefined },
  ): AsyncGenerator<JournalEntry, void, undefined> {
    const args = { job_id: jobId, ...(after === undefined ? {} : { after }) };
    for await (const entry of connection.watch(this.#sign(connection, "watch_job", args), signal)) {
      yield { jobId: entry.jobId, seq: Number(entry.seq), atMs: Number(entry.atMs), event: JSON.parse(entry.eventJson) as JobEvent };
    }
  }

  async *#follow<Event>(
    verb: CommandVerb,
    args: Readonly<Record<string, Json>>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Event, void, undefined> {
    const connection = await this.#connect();
    let hasBegun = false;
    try {
      for await (const { eventJson } of connection.follow(this.#sign(connection, verb, args), signal)) {
        hasBegun = true;
        yield JSON.parse(eventJson) as Event;
      }
    } catch (reason) {
      if (hasBegun) throw reason;
      const again = await this.#reconnect(connection, reason);
      for await (const { eventJson } of again.follow(this.#sign(again, verb, args), signal)) yield JSON.parse(eventJson) as Event;
    }
  }

  async #upload(
    object: ObjectRef,
    file: string,
    onProgress: TransferOptions["onProgress"],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { transfer } = this.#parts;
    await transfer.upload(this.#connect, object, (doneBytes) => onProgress?.({ file, doneBytes, totalBytes: object.size }), signal);
  }

  async #execute(verb: CommandVerb, args: Readonly<Record<string, Json>>, signal?: AbortSignal): Promise<Json> {
    const execute = (connection: Connection): Promise<CommandReply> => connection.execute(this.#sign(connection, verb, args), signal);
    const connection = await this.#connect();
    const reply = await execute(connection).catch(async (reason: unknown) => execute(await this.#reconnect(connection, reason)));
    return JSON.parse(reply.resultJson) as Json;
  }

  // A server ends sessions that nobody used for long. What such a session is asked is refused before anything is done, so
  // that it can be asked again in a new one.
  async #reconnect(connection: Connection, reason: unknown): Promise<Connection> {
    if (!(reason instanceof FlareError) || reason.code !== "auth/token-unknown") throw reason;
    await connection.closed;
    return await this.#connect();
  }

  #sign(connection: Connection, verb: CommandVerb, args: Readonly<Record<string, Json>>): ReturnType<typeof signCommand> {
    const { kit, now } = this.#parts;
    const { project } = kit;
    // The session's own keys: those in force may be newer by a moment.
    const { certificatePem, privateKeyPem } = connection.keys;
    return signCommand({
      verb,
      args,
      project,
      study: this.study,
      sessionId: connection.sessionId,
      certificatePem,
      privateKeyPem,
      nowMs: now(),
    });
  }
}
