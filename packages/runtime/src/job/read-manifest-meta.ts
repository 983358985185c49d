import { readFile } from "node:fs/promises";
import { compileMeta, FlareError, type JobMeta } from "@flare-ts/contracts";
import type { ModelStore } from "../store/model-store.js";
import { parseJobMeta } from "./job-documents.js";
import { type JobManifest, metaFileOf } from "./job-manifest.js";

/**
 * Reads the `meta.json` that a manifest lists.
 *
 * @throws FlareError `job/manifest-invalid`, `job/file-missing`, `job/invalid`
 */
export async function readManifestMeta(manifest: Pick<JobManifest, "files">, find: ModelStore["find"]): Promise<JobMeta> {
  const file = metaFileOf(manifest);
  if (file === undefined) throw new FlareError("job/manifest-invalid", "A signed job has no meta.json.");
  const held = await find(file.sha256);
  if (held === undefined) {
    throw new FlareError("job/file-missing", `The file ${file.path} of the job is not in the store.`, {
      facts: { path: file.path, sha256: file.sha256 },
    });
  }
  return compileMeta(parseJobMeta(await readFile(held.path, "utf8"), file.path).document.value);
}
