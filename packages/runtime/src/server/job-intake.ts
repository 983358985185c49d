import { randomUUID } from "node:crypto";
import { link, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  type AuthorizationRequest,
  type ContentHash,
  FlareError,
  type JobMeta,
  limits,
  type Right,
  serverTarget,
} from "@flare-ts/contracts";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import type { JobManifest } from "../job/job-manifest.js";
import type { Submitter } from "../job/job-signer.js";
import { readJobFolder } from "../job/read-job-folder.js";
import { type VerifiedJob, verifySignedJob } from "../job/signed-job.js";
import type { Identity } from "../session/identity.js";
import { diskError } from "../store/file-model-store-disk.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { AddedJob, JobRecord, NewJob, ServerStore } from "../store/server-store.js";
import type { StudyRegistry } from "../study/study-registry.js";
import { requireMember } from "../study/study-rights.js";
import type { Possession } from "../transfer/possession.js";
import type { Caller } from "./command-gate.js";
import type { DefinitionReader } from "./job-definition.js";
import type { JournalHub } from "./journal-hub.js";
import { filesMissing, type ModelsOfOthers, type SubmittedFile } from "./models-of-others.js";

export interface JobIntakeComponents {
  readonly hub: JournalHub;
  readonly models: ModelStore;
  readonly retention: ObjectRetention;
  readonly others: Pick<ModelsOfOthers, "refuse">;
  readonly studies: Pick<StudyRegistry, "studies" | "inTurn">;
  /** A job is made of files that its submitter has, not of what the server holds of others. */
  readonly possession: Pick<Possession, "has">;
  readonly store: Pick<ServerStore, "job">;
  readonly readDefinition: DefinitionReader;
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
   * Takes a job into the study of whoever submits it, once: a repetition gives the job that is there, also one that was signed anew.
   *
   * @throws FlareError `job/id-taken`, `job/files-missing`, `job/not-yours`, `job/wrong-study`, `job/outside-study`, `auth/not-authorized`, what `verifySignedJob` and
   * `readJobFolder` find.
   */
  async accept(caller: Caller, signedJob: ObjectRef): Promise<AddedJob> {
    const { retention } = this.#parts;
    // Until the job is known, its files are held under a name of their own: a refused one must not touch what another holds.
    const holder = `intake:${randomUUID()}`;
    await retention.hold(holder, [signedJob.hash]);
    try {
      const { manifest, submitter } = await this.#verify(caller, signedJob);
      const hashes = [signedJob.hash, ...manifest.files.map((file) => file.sha256)];
      await retention.hold(holder, hashes);
      return await this.#add(caller, { manifest, submitter }, signedJob, hashes);
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

  async #verify({ identity, study }: Caller, signedJob: ObjectRef): Promise<VerifiedJob> {
    const { models, possession, now } = this.#parts;
    const held = possession.has(identity, signedJob.hash) ? await models.find(signedJob.hash) : undefined;
    if (held === undefined || held.size !== signedJob.size || held.size > limits.signedJobBytes) {
      throw new FlareError("job/files-missing", "The signed job is not in the server's store.", { facts: { hash: signedJob.hash } });
    }
    const verified = verifySignedJob({ bytes: await readFile(held.path), trust: this.#init.trust, nowMs: now() });
    const signer = verified.submitter.name;
    if (signer !== identity.name) {
      throw new FlareError("job/not-yours", `The job was signed by ${signer}, but ${identity.name} submits it.`, {
        facts: { signer, who: identity.name },
      });
    }
    if (verified.manifest.study !== study) throw wrongStudy(`signed for study '${verified.manifest.study}'`, study);
    return verified;
  }

  async #add(
    { identity, study }: Caller,
    { manifest, submitter }: Pick<VerifiedJob, "manifest" | "submitter">,
    signedJob: ObjectRef,
    hashes: readonly ContentHash[],
  ): Promise<AddedJob> {
    const { hub, retention, studies, now } = this.#parts;
    const { jobId } = manifest;
    const name = await this.#checkFolder(manifest, submitter, identity);
    const job = {
      jobId,
      name,
      study,
      submitterName: submitter.name,
      submitterOrg: submitter.org,
      submitterRole: submitter.role,
      submitTimeMs: now(),
      signedJob,
    };
    // A study is not removed while a job comes into it.
    const added = await studies.inTurn(async () => {
      requireMember(studies.studies, study, identity);
      return await hub.addJob(job).catch(async (reason: unknown) => {
        const known = await this.#sameJob(job, manifest);
        if (known === undefined) throw reason;
        return { job: known, isNew: false };
      });
    });
    // A job that was known holds what it needs by itself.
    if (added.isNew) await retention.hold(`job:${jobId}`, hashes);
    return added;
  }

  /** The job of an id, where the same person has submitted the same files: whoever had no answer submits again, and signs it at another time. */
  async #sameJob({ jobId, study, submitterName }: NewJob, { jobFolderName, files }: JobManifest): Promise<JobRecord | undefined> {
    const { store, readDefinition } = this.#parts;
    const known = await store.job(jobId);
    if (known === undefined || known.study !== study || known.submitterName !== submitterName) return undefined;
    const first = (await readDefinition(known.signedJob)).manifest;
    return isDeepStrictEqual([first.jobFolderName, first.files], [jobFolderName, files]) ? known : undefined;
  }

  /** Builds the folder anew, by links into the store, and reads it as the submitter should have. */
  async #checkFolder(manifest: JobManifest, submitter: Submitter, identity: Identity): Promise<string> {
    const { models, possession } = this.#parts;
    const draft = await mkdtemp(join(this.#init.workspace, draftPrefix));
    try {
      const missing: string[] = [];
      const files: SubmittedFile[] = [];
      for (const { path, sha256, size } of manifest.files) {
        const held = possession.has(identity, sha256) ? await models.find(sha256) : undefined;
        if (held === undefined || held.size !== size) {
          missing.push(path);
          continue;
        }
        const target = join(draft, path);
        await mkdir(dirname(target), { recursive: true });
        await link(held.path, target);
        files.push({ path, hash: sha256, heldAt: held.path });
      }
      if (missing.length > 0) throw filesMissing(missing);
      await this.#parts.others.refuse(submitter, files);
      const folder = await readJobFolder(draft);
      this.#checkStudy(folder.meta, manifest.study);
      const { name, org, role } = submitter;
      const rights: Right[] = folder.apps.some((app) => app.bringsCode) ? ["submit_job", "byoc"] : ["submit_job"];
      for (const right of rights) {
        if (!this.#parts.isAllowed({ right, user: { name, org, role }, submitter: { name, org }, study: manifest.study })) {
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

  #checkStudy({ study: meant, deployMap, mandatoryClients }: JobMeta, study: string): void {
    if (meant !== undefined && meant !== study) throw wrongStudy(`meant for study '${meant}' by its meta.json`, study);
    const { studies } = this.#parts.studies;
    const named = [...Object.values(deployMap).flatMap((targets) => (targets === "@ALL" ? [] : targets)), ...mandatoryClients];
    const outside = named.find((site) => site !== serverTarget && !studies.hasSite(study, site));
    if (outside === undefined) return;
    throw new FlareError("job/outside-study", `The job names ${outside}, which is no site of study '${study}'.`, {
      facts: { site: outside, study },
    });
  }
}

function wrongStudy(what: string, study: string): FlareError {
  return new FlareError("job/wrong-study", `The job is ${what}, but is submitted to '${study}'.`, { facts: { study } });
}
