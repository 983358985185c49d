import type { FileHandle } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts";
import type { HashThread } from "./hash-thread.js";
import { readMemory } from "./read-memory.js";
import { inlineHash, type RunningHash } from "./running-hash.js";

/**
 * The hash of the first `length` bytes of a file. A file that comes to more than `limits.checkpointBytes` is hashed on the thread for
 * that, beside whatever the caller does next.
 *
 * @param size - what the file will come to. @default length
 * @throws FlareError `file/unreadable` when the file is shorter; a long one says so at the end of its hash.
 */
export async function hashPrefix(file: FileHandle, length: number, thread: HashThread, size = length): Promise<RunningHash> {
  if (size > limits.checkpointBytes) {
    const running = thread.begin(file);
    running.reached(length);
    return running;
  }
  const hash = inlineHash();
  const piece = readMemory(Math.min(limits.chunkBytes, length));
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(piece, 0, Math.min(piece.byteLength, length - done), done);
    if (bytesRead === 0) throw new FlareError("file/unreadable", "A file is shorter than it was.", { facts: { length, offset: done } });
    hash.update(piece.subarray(0, bytesRead));
    done += bytesRead;
  }
  return hash;
}
