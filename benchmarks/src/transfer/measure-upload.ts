import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, createWriteStream, openSync, unlinkSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AdminSession } from "@flare-ts/runtime/admin";

/** Seconds of the stages of one upload. */
export interface UploadTimes {
  /** From its first byte until the server has answered that it has the object, durable and verified. */
  readonly upload: number;
}

/**
 * Uploads a fresh file of random bytes to the server as part of a job's folder, and takes the time of the transfer alone: after
 * the file was taken into the store here, until the server has answered.
 */
export async function measureUpload(admin: AdminSession, jobFolder: string, bytes: number): Promise<UploadTimes> {
  const file = "app/config/model.bin";
  const path = join(jobFolder, file);
  await writeRandom(path, bytes);
  let begun = 0;
  let ended = 0;
  try {
    const abort = new AbortController();
    await admin
      .submitJob(jobFolder, {
        signal: abort.signal,
        onProgress: (progress) => {
          if (progress.file !== file) {
            // What has been measured is the transfer: the job is not wanted.
            if (begun !== 0) abort.abort();
          } else if (begun === 0) {
            touchMemory(`${path}.touched`, bytes);
            begun = performance.now();
          } else {
            // The last time is when the server has answered.
            ended = performance.now();
          }
        },
      })
      .catch((error: unknown) => {
        if (ended === 0) throw error;
      });
  } finally {
    await rm(path);
  }
  return { upload: (ended - begun) / 1000 };
}

/**
 * Has the machine hold as much memory as the server's new file takes in the cache of the disk. A virtual machine gets memory from its host
 * when it first writes to it and hands back what it has not used for seconds: 2 s for each GB here, which no transfer can help.
 */
function touchMemory(path: string, bytes: number): void {
  const block = Buffer.alloc(16 * 1024 * 1024);
  const file = openSync(path, "wx");
  for (let done = 0; done < bytes; done += block.byteLength) writeSync(file, block);
  closeSync(file);
  unlinkSync(path);
}

async function writeRandom(path: string, bytes: number): Promise<void> {
  const out = createWriteStream(path);
  const block = 16 * 1024 * 1024;
  for (let left = bytes; left > 0; left -= block) if (!out.write(randomBytes(Math.min(block, left)))) await once(out, "drain");
  out.end();
  await once(out, "close");
}
