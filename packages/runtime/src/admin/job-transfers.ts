import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { contentHashSchema, FlareError, jobIdSchema } from "@flare-ts/contracts";
import type { Kit, TrustKeeper } from "@flare-ts/provision/kit";
import type { LiveIdentity } from "../identity/live-identity.js";
import type { JobFolder } from "../job/job-folder.js";
import { crossValidationResults, type ModelEvaluation } from "../job/model-evaluations.js";
import { readJobFolder } from "../job/read-job-folder.js";
import { createSignedJob } from "../job/signed-job.js";
import { jobIdOfToken } from "../job/submit-token.js";
import type { SignedReceipt } from "../receipt/signed-receipt.js";
import type { HierarchicalStatistics } from "../statistics/hierarchical-result.js";
import type { StatisticsResult } from "../statistics/statistics-result.js";
import type { ObjectRef } from "../store/model-store.js";
import type { ConnectionProvider } from "../transfer/transfer-client.js";
import type { Connection } from "../transport/connection.js";
import type { DownloadOptions, SubmitOptions, TransferOptions } from "./admin-options.js";
import { cloneManifest } from "./clone-manifest.js";
import { downloadResult, refuseTaken } from "./download-result.js";
import { type EvaluationFile, evaluationFiles } from "./evaluation-files.js";
import type { JobSummary, ResultFile } from "./job-summary.js";
import type { SignedCalls } from "./signed-calls.js";
import { isAway, throughCuts } from "./through-cuts.js";
import type { TransferStore, TransferStores } from "./transfer-stores.js";

export interface JobTransfersComponents {
  readonly calls: SignedCalls;
  readonly kit: Pick<Kit, "project" | "name">;
  readonly keeper: TrustKeeper;
  /** Keep what is on its way. */
  readonly stores: TransferStores;
  readonly identity: LiveIdentity;
  readonly now: () => number;
  /** Reads and checks the receipts of a job. */
  readonly receipts: (jobId: string, signal: AbortSignal) => Promise<{ readonly receipts: readonly SignedReceipt[] }>;
  /** Reads what came of the evaluations of a job. */
  readonly evaluations: (jobId: string, signal: AbortSignal) => Promise<readonly ModelEvaluation[]>;
}

/** What came of a workflow of statistics. */
export interface JobStatistics {
  /** Where a download has it. */
  readonly path: string;
  /** With levels where the workflow has a hierarchy of sites. */
  readonly result: StatisticsResult | HierarchicalStatistics;
}

/** What was downloaded of a job, into which folder. */
export interface DownloadedJob {
  readonly dir: string;
  readonly files: readonly ResultFile[];
  /** What came of each workflow that evaluates models, and where that is in the folder. */
  readonly evaluations: readonly EvaluationFile[];
}

/** Jobs on their way to the server, and their results on the way back. A server that is away meanwhile is waited for. */
export class JobTransfers {
  readonly #parts: JobTransfersComponents;
  readonly #study: string;

  constructor(components: JobTransfersComponents, init: { readonly study: string }) {
    this.#parts = components;
    this.#study = init.study;
  }

  async submit(folder: string, options: SubmitOptions): Promise<{ readonly jobId: string }> {
    const { kit, identity, now } = this.#parts;
    const { submitToken: token } = options;
    const jobId = checkedId(options.jobId ?? (token === undefined ? randomUUID() : this.idOfToken(token)));
    const job = await readJobFolder(folder);
    return await this.#with(options, async (way) => {
      for (let attempt = 1; ; attempt += 1) {
        await way.uploadFiles(job);
        // Not before: a certificate may end while files are sent, or while the server is away.
        const submitter = identity.current;
        try {
          await way.submit(createSignedJob({ folder: job, jobId, project: kit.project, study: this.#study, submitter, nowMs: now() }));
          return { jobId };
        } catch (reason) {
          const { code } = FlareError.from(reason);
          // A server that was started anew takes files only of those who have sent them to it.
          const isForgotten = code === "job/files-missing";
          const isOutlived = code === "job/signer-expired" && identity.current !== submitter;
          if (!(isForgotten || isOutlived) || attempt >= mostSendings) throw reason;
        }
      }
    });
  }

  /** The id of the job that this admin submits with a token. */
  idOfToken(token: string): string {
    const { project, name: submitter } = this.#parts.kit;
    return jobIdOfToken(token, { project, submitter, study: this.#study });
  }

  async clone(id: string, options: TransferOptions & { readonly newJobId?: string }): Promise<{ readonly jobId: string }> {
    const { calls, kit, keeper, identity, now } = this.#parts;
    const jobId = checkedId(id);
    const newJobId = checkedId(options.newJobId ?? randomUUID());
    const answer = (await calls.execute("clone_job", { job_id: jobId }, options.signal)) as unknown as { signed_job: ObjectRef };
    const { hash, size } = answer.signed_job;
    return await this.#with(options, async (way) => {
      const bytes = await way.read({ hash: contentHashSchema.parse(hash), size });
      await way.submit(
        cloneManifest({ bytes, trust: keeper.trust, jobId, newJobId, project: kit.project, submitter: identity.current, nowMs: now() }),
      );
      return { jobId: newJobId };
    });
  }

  async download(id: string, destination: string, options: DownloadOptions): Promise<DownloadedJob> {
    const { isReplacing = false, onProgress } = options;
    const jobId = checkedId(id);
    const dir = resolve(destination, jobId);
    if (!isReplacing) await refuseTaken(dir);
    return await this.#with(options, async ({ store: { models, transfer }, signal, connect }) => {
      const { calls, receipts, evaluations } = this.#parts;
      const ask = async (): Promise<DownloadAnswer> =>
        (await calls.execute("download_job", { job_id: jobId }, signal)) as unknown as DownloadAnswer;
      const { job, files, has_evaluations: hasEvaluations = false } = await ask();
      const evaluated = evaluationFiles(hasEvaluations ? await evaluations(jobId, signal) : []);
      const documents = {
        "receipts.json": (await receipts(jobId, signal)).receipts,
        "job_meta.json": job,
        ...Object.fromEntries(evaluated.map(({ path, evaluation }) => [path, crossValidationResults(evaluation)])),
      };
      const asked = asking(connect, await calls.live, ask);
      await downloadResult(
        dir,
        { files, documents },
        {
          fetch: (object, { path: file, size: totalBytes }) =>
            transfer.download(asked, object, (doneBytes) => onProgress?.({ file, doneBytes, totalBytes }), signal),
          isReplacing,
        },
      );
      for (const file of files) await models.remove(contentHashSchema.parse(file.hash));
      return { dir, files, evaluations: evaluated };
    });
  }

  async statistics(id: string, options: TransferOptions): Promise<readonly JobStatistics[]> {
    const jobId = checkedId(id);
    const answer = await this.#parts.calls.execute("download_job", { job_id: jobId }, options.signal);
    const files = (answer as unknown as DownloadAnswer).files.filter(({ kind }) => kind === "statistics");
    if (files.length === 0) return [];
    return await this.#with(options, async (way) => {
      const read: JobStatistics[] = [];
      for (const { path, hash, size } of files) {
        const bytes = await way.read({ hash: contentHashSchema.parse(hash), size });
        read.push({ path, result: JSON.parse(bytes.toString("utf8")) as JobStatistics["result"] });
      }
      return read;
    });
  }

  /** Work with a store of the kit, which ends with the session. */
  async #with<Result>({ onProgress, onAway, signal }: TransferOptions, work: (way: Way) => Promise<Result>): Promise<Result> {
    const { calls, stores } = this.#parts;
    return await calls.whileOpen(signal, (either) =>
      stores.use((store) => work(new Way({ calls, store }, { onProgress, onAway, signal: either }))),
    );
  }
}

interface DownloadAnswer {
  readonly job: JobSummary;
  readonly files: readonly ResultFile[];
  /** Not from servers of older versions. */
  readonly has_evaluations?: boolean;
}

/** How often files are sent to a server that is started anew again and again. */
const mostSendings = 5;

/** The way of one job to the server and back. */
class Way {
  readonly store: TransferStore;
  readonly signal: AbortSignal;
  readonly #calls: SignedCalls;
  readonly #options: TransferOptions;

  constructor(
    components: { readonly calls: SignedCalls; readonly store: TransferStore },
    init: TransferOptions & { readonly signal: AbortSignal },
  ) {
    this.store = components.store;
    this.#calls = components.calls;
    this.#options = init;
    this.signal = init.signal;
  }

  readonly connect: ConnectionProvider = () => this.#throughCuts(() => this.#calls.connect());

  async uploadFiles({ files }: Pick<JobFolder, "files">): Promise<void> {
    const { models } = this.store;
    for (const file of files) {
      const object = await models.importFile(file.absolutePath);
      await this.#upload(object, file.path);
      await models.remove(object.hash);
    }
  }

  /** Hands a signed job in; once more is the same job. */
  async submit(bytes: Uint8Array): Promise<void> {
    const { models } = this.store;
    const signed = await models.importBytes(bytes);
    await this.#upload(signed, "signed job");
    const signed_job = { hash: signed.hash, size: signed.size };
    await this.#throughCuts(() => this.#calls.execute("submit_job", { signed_job }, this.signal));
    await models.remove(signed.hash);
  }

  async read(object: ObjectRef): Promise<Buffer> {
    const { models, transfer } = this.store;
    const held = await transfer.download(this.connect, object, undefined, this.signal);
    const bytes = await readFile(held.path);
    await models.remove(held.hash);
    return bytes;
  }

  async #upload(object: ObjectRef, file: string): Promise<void> {
    const { onProgress } = this.#options;
    const report = (doneBytes: number): void => onProgress?.({ file, doneBytes, totalBytes: object.size });
    await this.store.transfer.upload(this.connect, object, report, this.signal);
  }

  async #throughCuts<Result>(work: () => Promise<Result>): Promise<Result> {
    return await throughCuts(work, { signal: this.signal, onAway: this.#options.onAway });
  }
}

/** Connections on which the result was asked for: a server that was started anew does not know any more who may read what. */
function asking(connect: ConnectionProvider, first: Connection | undefined, ask: () => Promise<unknown>): ConnectionProvider {
  let asked = first;
  return async () => {
    for (;;) {
      const connection = await connect();
      if (connection === asked) return connection;
      try {
        await ask();
        asked = connection;
      } catch (reason) {
        // The connection may be gone again.
        if (!isAway(reason)) throw reason;
      }
    }
  };
}

/** The id of a job in the form that everybody writes, before anything is read or sent for it. */
function checkedId(text: string): string {
  const id = jobIdSchema.safeParse(text);
  if (id.success) return id.data;
  throw new FlareError("runtime/invalid-argument", `${JSON.stringify(text)} is no id of a job, which is a UUID.`, {
    facts: { jobId: text },
  });
}
