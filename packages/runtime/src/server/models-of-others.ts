import { readSafetensorsHeader } from "@flare-ts/aggregator/safetensors";
import { type AuthorizationRequest, type ContentHash, FlareError } from "@flare-ts/contracts";
import type { JournalEntry } from "../job/job-event.js";
import type { Submitter } from "../job/job-signer.js";
import type { ServerStore } from "../store/server-store.js";

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
  readonly #store: Pick<ServerStore, "entriesNaming" | "job">;
  readonly #isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;

  constructor(components: {
    readonly store: Pick<ServerStore, "entriesNaming" | "job">;
    /** The server's own policy. */
    readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
  }) {
    this.#store = components.store;
    this.#isAllowed = components.isAllowed;
  }

  /** @throws FlareError `auth/not-authorized` for a file that is an update of a site, or a model that the submitter may not download */
  async refuse(submitter: Submitter, files: readonly SubmittedFile[]): Promise<void> {
    for (const { path, hash, heldAt } of files) {
      // Scripts and settings are none, which saves looking through the journals.
      if (!(await isModel(heldAt))) continue;
      const refused = await this.#refusedEntry(submitter, hash);
      if (refused !== undefined) throw refusal(submitter, path, refused);
    }
  }

  /** The entry that says why an object is not for a submitter. */
  async #refusedEntry(submitter: Submitter, hash: ContentHash): Promise<JournalEntry | undefined> {
    const entries = await this.#store.entriesNaming(hash);
    let refused: JournalEntry | undefined;
    for (const entry of entries) {
      const { event, jobId } = entry;
      const isInitial = event.type === "round-opened" && event.round === 0;
      // Training that changes nothing gives the model back that the job brought.
      if (isInitial && (await this.#mayDownload(submitter, jobId))) return undefined;
      // What a site has sent is for the server alone, whoever's the job is.
      if (event.type === "update-accepted" && event.update.hash === hash) refused ??= entry;
      const isResult = event.type === "round-closed" || event.type === "best-model" || event.type === "workflow-ended";
      if (isResult && !(await this.#mayDownload(submitter, jobId))) refused ??= entry;
    }
    return refused;
  }

  async #mayDownload({ name, org, role }: Submitter, jobId: string): Promise<boolean> {
    const job = await this.#store.job(jobId);
    if (job === undefined) return false;
    const owner = { name: job.submitterName, org: job.submitterOrg };
    return this.#isAllowed({ right: "download_job", user: { name, org, role }, submitter: owner });
  }
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

function refusal({ name }: Submitter, path: string, { jobId, event }: JournalEntry): FlareError {
  const what = event.type === "update-accepted" ? "an update of a site" : "a model";
  return new FlareError(
    "auth/not-authorized",
    `${name} may not submit ${path}: it is ${what} in job ${jobId}, which ${name} may not read.`,
    {
      facts: { who: name, path, job: jobId },
    },
  );
}
