import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";

const block = randomBytes(1024 * 1024);

/** Seconds that a new file of so many bytes takes until the disk has it: what an upload to this disk cannot be faster than. */
export async function measureFile(path: string, bytes: number): Promise<number> {
  const file = await open(path, "wx");
  try {
    const start = performance.now();
    for (let left = bytes; left > 0; ) left -= (await file.write(block, 0, Math.min(block.byteLength, left))).bytesWritten;
    await file.datasync();
    return (performance.now() - start) / 1000;
  } finally {
    await file.close();
    await rm(path);
  }
}
