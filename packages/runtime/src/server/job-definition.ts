import { readFile } from "node:fs/promises";
import { FlareError, type JobMeta } from "@flare-ts/contracts";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { resolveDeployMap } from "../job/deploy-map.js";
import type { JobManifest } from "../job/job-manifest.js";
import type { Submitter } from "../job/job-signer.js";
import { readManifestMeta } from "../job/read-manifest-meta.js";
import { signingTime, verifySignedJob } from "../job/signed-job.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";

/** What a signed job says, verified. */
export interface JobDefinition {
  readonly manifest: JobManifest;
  readonly submitter: Submitter;
  readonly meta: JobMeta;
  /** App folder that the server runs. */
  readonly serverApp: string;
}

/** Reads and verifies a signed job that the store holds. */
export type DefinitionReader = (signedJob: ObjectRef) => Promise<JobDefinition>;

/** Makes a reader; a job that was accepted stays good when its signer's certificate expires later, but not when it is revoked. */
export function createDefinitionReader(components: { readonly models: ModelStore; readonly trust: ProjectTrust }): DefinitionReader {
  const { models, trust } = components;
  return async (signedJob) => {
    const { hash } = signedJob;
    const held = await models.find(hash);
    if (held === undefined) throw new FlareError("job/file-missing", "The store lacks the signed form of a job.", { facts: { hash } });
    const bytes = await readFile(held.path);
    const { manifest, submitter } = verifySignedJob({ bytes, trust, nowMs: signingTime(bytes) });
    const meta = await readManifestMeta(manifest, (file) => models.find(file));
    return { manifest, submitter, meta, serverApp: resolveDeployMap(meta, []).serverApp };
  };
}
