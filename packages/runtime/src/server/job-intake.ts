import { randomUUID } from "node:crypto";
import { link, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AuthorizationRequest, type ContentHash, FlareError, limits, type Right } from "@flare-ts/contracts";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import type { JobManifest } from "../job/job-manifest.js";
import type { Submitter } from "../job/job-signer.js";
import { readJobFolder } from "../job/read-job-folder.js";
import { type VerifiedJob, verifySignedJob } from "../job/signed-job.js";
import type { Identity } from "../session/identity.js";
import { diskError } from "../store/file-model-store-disk.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { AddedJob } from "../store/server-store.js";
import type { JournalHub } from "./journal-hub.js";
import type { ModelsOfOthers, SubmittedFile } from "./models-of-others.js";

export interface JobIntakeComponents {
  readonly hub: JournalHub;
  readonly models: ModelStore;
  readonly retention: ObjectRetention;
  readonly others: Pick<ModelsOfOthers, "refuse">;
  readonly now: () => number;
  /** The server's own policy. */
  readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
}

export interface JobIntakeInit {
  readonly workspace: string;
  readonly trust: ProjectTrust;
}

/** How the names of folders begin in which submitted jobs are looked at. */
const draftPrefix = ".incoming-";

/** Takes submitted jobs in: verifies the signature, and checks the whole folder again, as a submitter may have skipped that. */
export class JobIntake {
  readonly #parts: JobIntakeComponents;
  readonly #init: JobIntakeInit;

  constructor(components: JobIntakeComponents, init: JobIntakeInit) {
    this.#parts = components;
    this.#init = init;
  }

  /**
   * Takes a job in, once: a repetition gives the job that is there.
   *
   * @throws FlareError `job/files-missing`, `job/not-yours`, `auth/not-authorized`, what `verifySignedJob` and
   * `readJobFolder` find.
   */
  async accept(identity: Identity, signedJob: ObjectRef): Promise<AddedJob> {
    const { retention } = this.#parts;
    // Until the job is known, its files are held under a name of their own: a refused one must not touch what another holds.
    const holder = `intake:${randomUUID()}`;
    await retention.hold(holder, [signedJob.hash]);
    try {
      const { manifest, submitter } = await this.#verify(identity, signedJob);
      const hashes = [signedJob.hash, ...manifest.files.map((file) => file.sha256)];
      await retention.hold(holder, hashes);
      return await this.#add(manifest, submitter, signedJob, hashes);
    } finally {
      await retention.release(holder);
    }
  }

  /** Removes what a crash in the middle of a submission left. */
  async clear(): Promise<void> {
    const { workspace } = this.#init;
    for (const name of await readdir(workspace)) {
      if (name.startsWith(draftPrefix)) await rm(join(workspace, name), { recursive: true, force: true });
    }
  }

  async #verify(identity: Identity, signedJob: ObjectRef): Promise<VerifiedJob> {
    const { models, now } = this.#parts;
    const held = await models.find(signedJob.hash);
    if (held === undefined || held.size !== signedJob.size || held.size > limits.signedJobBytes) {
      throw new FlareError("job/files-missing", "The signed job is not in the server's store.", { facts: { hash: signedJob.hash } });
    }
    const verified = verifySignedJob({ bytes: await readFile(held.path), trust: this.#init.trust, nowMs: now() });
    const signer = verified.submitter.name;
    if (signer === identity.name) return verified;
    throw new FlareError("job/not-yours", `The job was signed by ${signer}, but ${identity.name} submits it.`, {
      facts: { signer, who: identity.name },
    });
  }

  async #add(manifest: JobManifest, submitter: Submitter, signedJob: ObjectRef, hashes: readonly ContentHash[]): Promise<AddedJob> {
    const { hub, retention, now } = this.#parts;
    const { jobId } = manifest;
    const name = await this.#checkFolder(manifest, submitter);
    const added = await hub.addJob({
      jobId,
      name,
      submitterName: submitter.name,
      submitterOrg: submitter.org,
      submitterRole: submitter.role,
      submitTimeMs: now(),
      signedJob,
    });
    // A job that was known holds what it needs by itself.
    if (added.isNew) await retention.hold(`job:${jobId}`, hashes);
    return added;
  }

  /** Builds the folder anew, by links into the store, and reads it as the submitter should have. */
  async #checkFolder(manifest: JobManifest, submitter: Submitter): Promise<string> {
    const { models } = this.#parts;
    const draft = await mkdtemp(join(this.#init.workspace, draftPrefix));
    try {
      const missing: string[] = [];
      const files: SubmittedFile[] = [];
      for (const { path, sha256, size } of manifest.files) {
        const held = await models.find(sha256);
        if (held === undefined || held.size !== size) {
          missing.push(path);
          continue;
        }
        const target = join(draft, path);
        await mkdir(dirname(target), { recursive: true });
        await link(held.path, target);
        files.push({ path, hash: sha256, heldAt: held.path });
      }
      if (missing.length > 0)
        throw new FlareError("job/files-missing", `The server's store lacks ${missing.length} file(s) of the job.`, {
          facts: { files: missing.slice(0, 10) },
        });
      await this.#parts.others.refuse(submitter, files);
      const folder = await readJobFolder(draft);
      const { name, org, role } = submitter;
      const rights: Right[] = folder.apps.some((app) => app.bringsCode) ? ["submit_job", "byoc"] : ["submit_job"];
      for (const right of rights) {
        if (!this.#parts.isAllowed({ right, user: { name, org, role }, submitter: { name, org } })) {
          throw new FlareError("auth/not-authorized", `${name} (${role} of ${org}) has no right '${right}' here.`, {
            facts: { who: name, role, right },
          });
        }
      }
      return folder.meta.name;
    } catch (error) {
      throw error instanceof FlareError ? error : diskError(error, draft);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
}
