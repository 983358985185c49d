import { readFile } from "node:fs/promises";
import { compileMeta, FlareError, type JobMeta } from "@flare-ts/contracts";
import { resolveDeployMap } from "../job/deploy-map.js";
import { parseJobMeta } from "../job/job-documents.js";
import { type JobManifest, metaFileOf } from "../job/job-manifest.js";
import type { Submitter } from "../job/job-signer.js";
import { signingTime, verifySignedJob } from "../job/signed-job.js";
import type { ModelStore, ObjectRef, StoredObject } from "../store/model-store.js";

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

/** Makes a reader; a job that was accepted stays good when its signer's certificate expires later. */
export function createDefinitionReader(components: {
  readonly models: ModelStore;
  readonly rootCaPem: string;
  readonly project: string;
}): DefinitionReader {
  const { models, rootCaPem, project } = components;
  return async (signedJob) => {
    const bytes = await readFile((await held(models, signedJob.hash, "signed job")).path);
    const { manifest, submitter } = verifySignedJob({ bytes, rootCaPem, project, nowMs: signingTime(bytes) });
    const file = metaFileOf(manifest);
    if (file === undefined) throw new FlareError("job/manifest-invalid", "A signed job has no meta.json.");
    const text = await readFile((await held(models, file.sha256, file.path)).path, "utf8");
    const meta = compileMeta(parseJobMeta(text, file.path).document.value);
    return { manifest, submitter, meta, serverApp: resolveDeployMap(meta, []).serverApp };
  };
}

async function held(models: ModelStore, hash: StoredObject["hash"], what: string): Promise<StoredObject> {
  const object = await models.find(hash);
  if (object === undefined) throw new FlareError("job/file-missing", `The store lacks the ${what} of a job.`, { facts: { hash, what } });
  return object;
}
