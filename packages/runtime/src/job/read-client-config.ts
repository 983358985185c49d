import { readFile } from "node:fs/promises";
import { type ClientConfigDocument, FlareError } from "@flare-ts/contracts";
import type { ModelStore } from "../store/model-store.js";
import { parseClientConfig } from "./job-documents.js";
import { configFileOf, type JobManifest } from "./job-manifest.js";

export interface ReadClientConfigInit {
  readonly manifest: Pick<JobManifest, "files">;
  readonly app: string;
  /** Must find the client configuration of the app; it is asked for nothing else. */
  readonly find: ModelStore["find"];
}

/**
 * Reads the signed client configuration of an app; `undefined` when the app has none.
 *
 * @throws FlareError `job/file-missing`, `job/invalid`
 */
export async function readClientConfig({ manifest, app, find }: ReadClientConfigInit): Promise<ClientConfigDocument | undefined> {
  const file = configFileOf(manifest, app, "client");
  if (file === undefined) return undefined;
  const object = await find(file.sha256);
  if (object === undefined) {
    throw new FlareError("job/file-missing", `The file ${file.path} of the job is not in the store.`, {
      facts: { path: file.path, sha256: file.sha256 },
    });
  }
  return parseClientConfig(await readFile(object.path, "utf8"), file.path).document.value;
}
