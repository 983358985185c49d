import { execFile } from "node:child_process";
import { appendFile, mkdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A folder that has a file system of its own, which can be filled to its last block. */
export interface SmallDisk {
  readonly folder: string;
  /** Keeps the disk full until `during` settles, whatever is freed meanwhile. */
  fill(during: Promise<unknown>): Promise<void>;
  remove(): Promise<void>;
}

const refillMs = 20;

/** Mounts a file system in memory on a folder; `undefined` where this process may not mount. */
export async function mountSmallDisk(folder: string, bytes: number): Promise<SmallDisk | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=700`, "flare-chaos", folder]);
  } catch {
    return undefined;
  }
  return {
    folder,
    fill: async (during) => fillDisk(folder, during),
    remove: async () => {
      // Lazy: a process that was killed a moment ago may still be on it.
      await run("umount", ["-l", folder]);
    },
  };
}

async function fillDisk(folder: string, during: Promise<unknown>): Promise<void> {
  const ballast = join(folder, "ballast");
  const state = { isOver: false };
  const end = (): void => void (state.isOver = true);
  const over = during.then(end, end);
  try {
    while (!state.isOver) {
      await fillOnce(folder, ballast);
      await Promise.race([over, sleep(refillMs)]);
    }
  } finally {
    await rm(ballast, { force: true });
  }
}

async function fillOnce(folder: string, ballast: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  // The last blocks one by one: a write that is too long by a byte may be refused as a whole.
  for (let bytes = bavail * bsize; bytes >= bsize; ) {
    const chunk = Math.min(bytes, 4 * 1024 * 1024);
    try {
      await appendFile(ballast, Buffer.alloc(chunk));
      bytes -= chunk;
    } catch {
      bytes = Math.min(Math.floor(bytes / 2), Math.floor(chunk / 2));
    }
  }
}
