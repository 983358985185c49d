import { readSafetensorsHeader } from "@flare-ts/aggregator/safetensors";
import { type AuthorizationRequest, type ContentHash, FlareError } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { Submitter } from "../job/job-signer.js";
import type { ServerStore } from "../store/server-store.js";
import type { StudyRegistry } from "../study/study-registry.js";
import { resultFiles } from "./result-files.js";

/** A file of a job that is being submitted. */
export interface SubmittedFile {
  readonly path: string;
  readonly hash: ContentHash;
  /** Where the store keeps it. */
  readonly heldAt: string;
}

/**
 * Keeps models and updates of jobs out of the jobs of people who may not read them. A job names its files by their hashes, and what the
 * server holds already is not sent again: whoever knows the hash of an update from a journal could else have it handed to a script of theirs.
 */
export class ModelsOfOthers {
  readonly #store: Pick<ServerStore, "entries" | "entriesNaming" | "job">;
  readonly #studies: Pick<StudyRegistry, "studies">;
  readonly #isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;

  constructor(components: {
    readonly store: Pick<ServerStore, "entries" | "entriesNaming" | "job">;
    readonly studies: Pick<StudyRegistry, "studies">;
    /** The server's own policy. */
    readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
  }) {
    this.#store = components.store;
    this.#studies = components.studies;
    this.#isAllowed = components.isAllowed;
  }

  /**
   * @throws FlareError `auth/not-authorized` for a file that is an update or a model of a site, or a model that the submitter may not download;
   * `job/files-missing`, as for one that is not there, where it is of a study that is not the submitter's
   */
  async refuse(submitter: Submitter, files: readonly SubmittedFile[]): Promise<void> {
    for (const { path, hash, heldAt } of files) {
      // Scripts and settings are none, which saves looking through the journals.
      if (!(await isModel(heldAt))) continue;
      const refused = await this.#refusedEntry(submitter, hash);
      if (refused === undefined) continue;
      throw (await this.#isOfOwnStudy(submitter, refused.jobId)) ? refusal(submitter, path, hash, refused) : filesMissing([path]);
    }
  }

  /** The entry that says why an object is not for a submitter. */
  async #refusedEntry(submitter: Submitter, hash: ContentHash): Promise<JournalEntry | undefined> {
    const entries = await this.#store.entriesNaming(hash);
    const begun = new Set(entries.flatMap(({ event, jobId }) => (event.type === "round-opened" && event.round === 0 ? [jobId] : [])));
    let refused: JournalEntry | undefined;
    for (const entry of entries) {
      const { event, jobId } = entry;
      // Training that changes nothing gives the model back that the job brought, and so does its evaluation.
      if (begun.has(jobId) && (await this.#mayDownload(submitter, jobId))) return undefined;
      // What a site has sent is for the server alone, whoever's the job is.
      if (isOfSite(event, hash)) refused ??= entry;
      const isResult = event.type === "round-closed" || event.type === "best-model" || event.type === "workflow-ended";
      if (isResult && !begun.has(jobId) && !(await this.#mayDownload(submitter, jobId))) refused ??= entry;
    }
    return refused !== undefined && (await this.#isResult(submitter, hash, entries)) ? undefined : refused;
  }

  /** Whether an object is what a job has made and the submitter may download: where one site trains at a time, that is the update of a site. */
  async #isResult(submitter: Submitter, hash: ContentHash, entries: readonly JournalEntry[]): Promise<boolean> {
    for (const jobId of new Set(entries.map((entry) => entry.jobId))) {
      const job = (await this.#mayDownload(submitter, jobId)) ? await this.#store.job(jobId) : undefined;
      if (job !== undefined && resultFiles(job, await this.#store.entries(jobId)).some((file) => file.hash === hash)) return true;
    }
    return false;
  }

  async #mayDownload({ name, org, role }: Submitter, jobId: string): Promise<boolean> {
    const job = await this.#store.job(jobId);
    if (job === undefined || !this.#studies.studies.hasUser(job.study, name)) return false;
    const owner = { name: job.submitterName, org: job.submitterOrg };
    return this.#isAllowed({ right: "download_job", user: { name, org, role }, submitter: owner, study: job.study });
  }

  async #isOfOwnStudy({ name }: Submitter, jobId: string): Promise<boolean> {
    const job = await this.#store.job(jobId);
    return job !== undefined && this.#studies.studies.hasUser(job.study, name);
  }
}

/** Whether an event says that a site has sent an object: as its update, or as a model of its own. */
function isOfSite(event: JobEvent, hash: ContentHash): boolean {
  if (event.type === "update-accepted" || event.type === "step-answered") return event.update.hash === hash;
  return event.type === "round-closed" && Object.values(event.models ?? {}).some((model) => model.hash === hash);
}

/** The error for files of a job that the store lacks. */
export function filesMissing(paths: readonly string[]): FlareError {
  return new FlareError("job/files-missing", `The server's store lacks ${paths.length} file(s) of the job.`, {
    facts: { files: paths.slice(0, 10) },
  });
}

async function isModel(file: string): Promise<boolean> {
  try {
    await readSafetensorsHeader(file);
    return true;
  } catch (error) {
    if (error instanceof FlareError) return false;
    throw error;
  }
}

function refusal({ name }: Submitter, path: string, hash: ContentHash, { jobId, event }: JournalEntry): FlareError {
  const ofSite = event.type === "update-accepted" ? "an update of a site" : "a model of a site";
  const what = isOfSite(event, hash) ? ofSite : "a model";
  return new FlareError(
    "auth/not-authorized",
    `${name} may not submit ${path}: it is ${what} in job ${jobId}, which ${name} may not read.`,
    {
      facts: { who: name, path, job: jobId },
    },
  );
}
