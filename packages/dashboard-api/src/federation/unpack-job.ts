import { createWriteStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlareError } from "@flare-ts/contracts";
import { type ArchiveLimits, extractArchive } from "@flare-ts/provision";
import { maxJobArchiveBytes } from "../contract/jobs.js";
import { withoutFolder } from "../without-folder.js";

/** What an uploaded job may hold; larger ones go by `flare job submit`, which sends files one by one. */
const jobArchiveLimits: ArchiveLimits = Object.freeze({
  archiveBytes: maxJobArchiveBytes,
  members: 2_000,
  memberBytes: 128 * 1024 * 1024,
  totalBytes: 256 * 1024 * 1024,
  ratio: 200,
});

/**
 * Writes an uploaded archive to a folder, unpacks it, and finds the job in it: at its top, or in the one folder that it holds.
 *
 * @throws FlareError `archive/…`, `job/invalid`, `dashboard/too-large`
 */
export async function unpackJob(body: Readable, dir: string, signal?: AbortSignal): Promise<string> {
  const file = join(dir, "job.zip");
  await pipeline(body, createWriteStream(file, { mode: 0o600 }));
  if ((await stat(file)).size === 0)
    throw new FlareError("dashboard/invalid-request", "The body is empty; it has to be a zip archive of a job folder.");
  const unpacked = join(dir, "job");
  try {
    await extractArchive({ file, dir: unpacked, limits: jobArchiveLimits, privateKeys: "refused", signal });
  } catch (reason) {
    throw withoutFolder(reason, dir);
  }
  const entries = await readdir(unpacked, { withFileTypes: true });
  const isJob = entries.some((entry) => entry.isFile() && /^meta\.(json|ya?ml)$/.test(entry.name));
  if (isJob) return unpacked;
  const [only, ...others] = entries.filter(({ name }) => !name.startsWith(".") && name !== "__MACOSX");
  if (only?.isDirectory() === true && others.length === 0) return join(unpacked, only.name);
  throw new FlareError("job/invalid", "The archive holds no meta.json, neither at its top nor in its one folder.");
}
