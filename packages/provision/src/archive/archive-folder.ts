import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { ArchiveSource } from "./archive-member.js";
import { type WriteArchiveInit, writeArchive } from "./write-archive.js";

export interface ArchiveFolderInit extends Omit<WriteArchiveInit, "members"> {
  /** The folder whose content goes into the archive. */
  readonly dir: string;
  /** Folder inside the archive that the content stands in, such as the kit's name. @default none */
  readonly under?: string;
}

/**
 * Writes everything in a folder into a zip file, with modes; empty folders are left out.
 *
 * @throws FlareError `archive/unsafe-path` also for a link or another thing that is no file, and what `writeArchive` throws.
 */
export async function archiveFolder({ dir, under, ...init }: ArchiveFolderInit): Promise<void> {
  const members = await sourcesOf(dir, under === undefined ? "" : `${under}/`);
  await writeArchive({ ...init, members });
}

async function sourcesOf(dir: string, prefix: string): Promise<ArchiveSource[]> {
  const sources: ArchiveSource[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile()) {
      throw new FlareError("archive/unsafe-path", `${file} is no ordinary file and cannot go into an archive.`, { facts: { file } });
    }
    sources.push({ path: prefix + relative(dir, file).split(sep).join("/"), file, mode: (await stat(file)).mode & 0o777 });
  }
  return sources.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
