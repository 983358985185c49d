import { readFile } from "node:fs/promises";
import { FlareError, runsCommand } from "@flare-ts/contracts";
import type { ModelStore } from "../store/model-store.js";
import { parseClientConfig } from "./job-documents.js";
import { configFileOf, type JobManifest } from "./job-manifest.js";

export interface BringsCodeInit {
  readonly manifest: Pick<JobManifest, "files">;
  readonly app: string;
  /** Must find the client configuration of the app; it is asked for nothing else. */
  readonly find: ModelStore["find"];
}

/**
 * Whether an app runs programs of the submitter's choice, and so needs the right `byoc`: it has files in `custom/`, or its
 * executor has a `command`, which may be anything (`python3 -c …`).
 *
 * @throws FlareError `job/file-missing`, `job/invalid`
 */
export async function bringsCode(init: BringsCodeInit): Promise<boolean> {
  const { manifest, app } = init;
  if (manifest.files.some(({ path }) => path.startsWith(`${app}/custom/`))) return true;
  const file = configFileOf(manifest, app, "client");
  if (file === undefined) return false;
  const object = await init.find(file.sha256);
  if (object === undefined) {
    throw new FlareError("job/file-missing", `The file ${file.path} of the job is not in the store.`, {
      facts: { path: file.path, sha256: file.sha256 },
    });
  }
  const { document } = parseClientConfig(await readFile(object.path, "utf8"), file.path);
  return runsCommand(document.value);
}
