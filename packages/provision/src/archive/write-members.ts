import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ArchiveMember } from "./archive-member.js";

/** Writes the files of an archive, whose paths have been checked, into a folder that is there and empty. */
export async function writeMembers(dir: string, members: readonly ArchiveMember[]): Promise<void> {
  for (const { path, bytes, mode } of members) {
    const file = join(dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes, { flag: "wx", mode: 0o600, flush: true });
    // The mode given when a file is made is cut by the umask.
    await chmod(file, mode);
  }
}
