import { readFile } from "node:fs/promises";
import {
  type AuthorizationRequest,
  type ClientAppSettings,
  compileClientConfig,
  defaultStudy,
  FlareError,
  type JobMeta,
  limits,
  type PrivacyScope,
  type ResourceRequest,
  type Right,
  resourcesFor,
  type SecureAggregation,
} from "@flare-ts/contracts";
import type { DeployJob } from "@flare-ts/contracts/wire";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { bringsCode } from "../job/brings-code.js";
import { resolveDeployMap } from "../job/deploy-map.js";
import { filesForApp, type JobManifest } from "../job/job-manifest.js";
import { checkSignerAgain } from "../job/job-signer.js";
import { isLaidOut, layOutJob } from "../job/lay-out-job.js";
import { readClientConfig } from "../job/read-client-config.js";
import { readManifestMeta } from "../job/read-manifest-meta.js";
import { signingTime, type VerifiedJob, verifySignedJob } from "../job/signed-job.js";
import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText } from "../logging/logger.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SiteStore } from "../store/site-store.js";
import type { TransferClient } from "../transfer/transfer-client.js";
import { objectFromWire } from "../transport/wire-values.js";
import type { PrivacyGate } from "./privacy-gate.js";
import type { ServerLink } from "./server-link.js";

export interface JobAdmissionComponents {
  readonly link: ServerLink;
  readonly transfer: TransferClient;
  readonly models: ModelStore;
  readonly store: SiteStore;
  readonly retention: ObjectRetention;
  readonly audit: AuditLog;
  readonly now: () => number;
  /** The site's own policy, from its own kit. */
  readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
  readonly privacy: Pick<PrivacyGate, "scopeOf" | "checkSecure">;
}

export interface JobAdmissionInit {
  readonly site: string;
  readonly trust: ProjectTrust;
}

/** A job that was found good and laid out at this site. */
export interface AdmittedJob {
  readonly jobName: string;
  /** Folder of the job process. */
  readonly folder: string;
  /** Folder of the app. */
  readonly appFolder: string;
  /** What the app's configuration comes to. */
  readonly app: ClientAppSettings;
  /** What the job asks this site for. */
  readonly resources: ResourceRequest;
  /** What the site's privacy policy does to its results; `undefined`: nothing. */
  readonly scope: PrivacyScope | undefined;
  /** How the server adds its updates without reading them; `undefined`: it reads them. */
  readonly secure: SecureAggregation | undefined;
  /**
   * Makes sure that the project still trusts who signed the job.
   *
   * @throws FlareError `job/signer-revoked`, `job/signer-untrusted`
   */
  readonly checkSigner: () => void;
}

/** Decides whether this site runs a job: the submitter's signature and the site's own policy count, not the server's word. */
export class JobAdmission {
  readonly #parts: JobAdmissionComponents;
  readonly #init: JobAdmissionInit;

  constructor(components: JobAdmissionComponents, init: JobAdmissionInit) {
    this.#parts = components;
    this.#init = init;
  }

  /**
   * Fetches a job, verifies it, asks the site's policy, and lays it out.
   *
   * @throws FlareError `job/signature-invalid` and its kin, `auth/not-authorized`, `job/replayed`, `job/wrong-app`, `privacy/scope-unknown`,
   *   `privacy/budget-spent`
   */
  async admit(deployment: DeployJob, folder: string, signal: AbortSignal): Promise<AdmittedJob> {
    const { models, store, retention, audit } = this.#parts;
    const { jobId, app } = deployment;
    let submitter = "unknown";
    try {
      if (await store.hasEnded(jobId))
        throw new FlareError("job/replayed", `Job ${jobId} has ended here before; a signed job runs once.`, { facts: { job: jobId } });
      const signedJob = objectFromWire(deployment.signedJob);
      if (signedJob.size > limits.signedJobBytes)
        throw new FlareError("runtime/bad-message", `The server says that a signed job has ${signedJob.size} bytes.`, {
          facts: { job: jobId },
        });
      await retention.hold(`job:${jobId}`, [signedJob.hash]);
      const verified = await this.#fetchSignedJob(signedJob, await isLaidOut(folder, this.#init.site), signal);
      submitter = verified.submitter.name;
      if (verified.manifest.jobId !== jobId) {
        throw new FlareError("job/replayed", `Job ${jobId} was signed as job ${verified.manifest.jobId}.`, {
          facts: { job: jobId, signedAs: verified.manifest.jobId },
        });
      }
      const files = filesForApp(verified.manifest, app);
      this.#authorize("submit_job", verified);
      await retention.hold(
        `job:${jobId}`,
        files.map((file) => file.sha256),
      );
      await this.#fetchFiles(files, signal);
      const find: ModelStore["find"] = (hash) => models.find(hash);
      const meta = await readManifestMeta(verified.manifest, find);
      this.#checkApp(verified.manifest, meta, app);
      if (await bringsCode({ manifest: verified.manifest, app, find })) this.#authorize("byoc", verified);
      const { secureAggregation: secure } = meta;
      this.#parts.privacy.checkSecure(meta.scope, secure);
      const scope = await this.#parts.privacy.scopeOf(meta.scope);
      const settings = await this.#settingsOf(verified.manifest, app);
      const { appFolder } = await layOutJob({
        manifest: verified.manifest,
        find,
        destination: folder,
        app,
        site: this.#init.site,
        signal,
      });
      audit.write({ who: submitter, action: "run_job", outcome: "allowed", ...studyOf(verified.manifest), facts: { job: jobId } });
      const { signerChainPem: chainPem, manifest } = verified;
      const checkSigner = (): void => checkSignerAgain({ chainPem, trust: this.#init.trust, nowMs: this.#parts.now() });
      return {
        jobName: manifest.jobFolderName,
        folder,
        appFolder,
        app: settings,
        resources: resourcesFor(this.#init.site, meta),
        scope,
        secure,
        checkSigner,
      };
    } catch (reason) {
      const error = FlareError.from(reason);
      if (!signal.aborted)
        audit.write({
          who: submitter,
          action: "run_job",
          outcome: "refused",
          code: error.code,
          reason: error.message,
          facts: { job: jobId },
        });
      throw error;
    }
  }

  async #fetchSignedJob(signedJob: ObjectRef, wasAdmitted: boolean, signal: AbortSignal): Promise<VerifiedJob> {
    const { link, transfer, now } = this.#parts;
    const { trust } = this.#init;
    const { path } = await transfer.download(() => link.connection(signal), signedJob, undefined, signal);
    const bytes = await readFile(path);
    // A job that was admitted here goes on when its submitter's certificate expires meanwhile.
    return verifySignedJob({ bytes, trust, nowMs: wasAdmitted ? signingTime(bytes) : now() });
  }

  async #fetchFiles(files: VerifiedJob["manifest"]["files"], signal: AbortSignal): Promise<void> {
    const { link, transfer } = this.#parts;
    for (const { sha256, size } of files) await transfer.download(() => link.connection(signal), { hash: sha256, size }, undefined, signal);
  }

  /** Which app a site runs was signed with the job: the server may leave a site out, and choose nothing else. */
  #checkApp(manifest: JobManifest, meta: JobMeta, app: string): void {
    const { site } = this.#init;
    const { apps } = resolveDeployMap(meta, [site]);
    if (Object.hasOwn(apps, site) && apps[site] === app) return;
    throw new FlareError("job/wrong-app", `The job's deploy_map does not give the app '${capPeerText(app)}' to ${site}.`, {
      facts: { site, app: capPeerText(app), job: manifest.jobId },
    });
  }

  /** From the store, as signed: the copy in the job's folder may be written by the job's code. */
  async #settingsOf(manifest: JobManifest, app: string): Promise<ClientAppSettings> {
    const config = await readClientConfig({ manifest, app, find: (hash) => this.#parts.models.find(hash) });
    if (config !== undefined) return compileClientConfig(config);
    throw new FlareError("job/file-missing", `The app '${capPeerText(app)}' has no configuration for sites.`, {
      facts: { app: capPeerText(app), job: manifest.jobId },
    });
  }

  #authorize(right: Right, { submitter, manifest }: Pick<VerifiedJob, "submitter" | "manifest">): void {
    const { name, org, role } = submitter;
    const { jobId, study } = manifest;
    if (this.#parts.isAllowed({ right, user: { name, org, role }, submitter: { name, org }, study })) return;
    throw new FlareError(
      "auth/not-authorized",
      `This site does not let ${name} (${role} of ${org}) use the right '${right}'${study === defaultStudy ? "" : ` in study '${study}'`}.`,
      {
        facts: { who: name, role, right, study, job: jobId, site: this.#init.site },
      },
    );
  }
}

function studyOf({ study }: JobManifest): { readonly study?: string } {
  return study === defaultStudy ? {} : { study };
}
