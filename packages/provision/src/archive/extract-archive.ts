import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { makeFolder } from "../kit/make-folder.js";
import { draftBeside } from "../state/draft-beside.js";
import { type ReadArchiveInit, readArchive } from "./read-archive.js";
import { writeMembers } from "./write-members.js";

export interface ExtractArchiveInit extends ReadArchiveInit {
  /** Folder that is made; it must not exist. */
  readonly dir: string;
}

/**
 * Unpacks a zip file that somebody else made into a new folder: everything or nothing, and nothing outside of the folder.
 * Permissions are kept as far as they let nobody but the owner write.
 *
 * @throws FlareError `file/exists`, and what `readArchive` throws.
 */
export async function extractArchive({ dir, ...init }: ExtractArchiveInit): Promise<void> {
  const target = resolve(dir);
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (isThere) throw new FlareError("file/exists", `${target} is there already.`, { facts: { file: target } });
  const members = await readArchive(init);
  await makeFolder(dirname(target));
  const draft = await draftBeside(dirname(target));
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeMembers(draft, members);
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
