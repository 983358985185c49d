import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** The SHA-256 of a file that is being written from its beginning to its end. */
export interface RunningHash {
  /** The next bytes, which are on their way into the file. */
  update(bytes: Uint8Array): void;
  /** All bytes before this offset stand in the file. */
  reached(offset: number): void;
  /** What is hashed once the bytes before an offset are; these have been given to `update`, and nothing behind them. */
  prefix(offset: number): HashedPrefix;
  /** The hash of all that was given, in hexadecimal; the file is not read any more. */
  digest(): Promise<string>;
  /** Gives the hash up; resolves when the file is not read any more. */
  end(): Promise<void>;
}

/** The hash of the first bytes of a file, to go on from. */
export interface HashedPrefix {
  readonly offset: number;
  /** @param file - the file of these bytes, which may have been opened anew */
  resume(file: FileHandle): RunningHash;
}

/** Hashes bytes when they are given, on the thread that gives them. */
export function inlineHash(hash: Hash = createHash("sha256")): RunningHash {
  return {
    update: (bytes) => void hash.update(bytes),
    reached: () => undefined,
    prefix: (offset) => {
      const kept = hash.copy();
      return { offset, resume: () => inlineHash(kept.copy()) };
    },
    digest: async () => hash.digest("hex"),
    end: async () => undefined,
  };
}
