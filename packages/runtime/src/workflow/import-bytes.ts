import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import { writeError } from "../store/file-model-store-disk.js";
import type { ObjectRef } from "../store/model-store.js";

/**
 * Gives bytes to the parent, by a file.
 *
 * @param path - of the file, whose folder is made where it is not there
 * @throws what the parent says, `file/unwritable`
 */
export async function importBytes(parent: Pick<ServerJobPeer, "call">, path: string, bytes: Uint8Array): Promise<ObjectRef> {
  await mkdir(dirname(path), { recursive: true });
  // The parent makes the file durable and hashes it when it takes it.
  await writeFile(path, bytes).catch((reason: unknown) => Promise.reject(writeError(reason, path)));
  return parent.call("importObject", { path });
}
