import { constants, type FileHandle, open } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";
import { diskError } from "./file-model-store-disk.js";
import type { HashThread } from "./hash-thread.js";
import type { RunningHash } from "./running-hash.js";

/** A file that somebody is writing from its beginning to its end, and that is hashed meanwhile. */
export class FollowedFile {
  readonly #file: FileHandle;
  readonly #hash: RunningHash;
  #isOver = false;

  private constructor(components: { readonly file: FileHandle; readonly hash: RunningHash }) {
    this.#file = components.file;
    this.#hash = components.hash;
  }

  /** Begins with a file, which is made where it is not there yet. @throws FlareError `file/unwritable`, `transfer/disk-full` */
  static async begin(path: string, hashing: HashThread): Promise<FollowedFile> {
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_CREAT, 0o600);
      return new FollowedFile({ file, hash: hashing.begin(file) });
    } catch (error) {
      throw diskError(error, path);
    }
  }

  /** All bytes before this offset stand in the file, and stay as they are. */
  reached(offset: number): void {
    if (!this.#isOver) this.#hash.reached(offset);
  }

  /** Whether a file that is open is this one, whatever it is called by now. */
  async isSame(other: FileHandle): Promise<boolean> {
    if (this.#isOver) return false;
    const [own, theirs] = await Promise.all([this.#file.stat(), other.stat()]);
    return own.dev === theirs.dev && own.ino === theirs.ino;
  }

  /**
   * The hash of all that was reached; the file is hashed as far already as it was followed.
   *
   * @throws FlareError `internal/aborted` when the file is let go of meanwhile, as only a part of it is hashed then; `file/unreadable`
   */
  async digest(): Promise<string> {
    const digest = await this.#hash.digest();
    if (this.#isOver) throw new FlareError("internal/aborted", "A file is not followed any more.");
    return digest;
  }

  /** Lets go of the file. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#hash.end();
    await this.#file.close();
  }
}
