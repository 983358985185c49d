import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A file to which lines are appended, each written before `append` returns. A line that the disk does not take is lost, and what is left of
 * it stands on a line of its own: a log is no reason to stop what it tells of.
 */
export class LineFile {
  readonly #fd: number;
  #isClosed = false;
  /** What was written last is a part of a line. */
  #isTorn = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens a file; it and its folder are made when they are not there. @throws what the file system says */
  static open(path: string): LineFile {
    mkdirSync(dirname(path), { recursive: true });
    return new LineFile(openSync(path, "a"));
  }

  /** Appends a line; nothing happens once the file is closed. */
  append(line: string): void {
    if (this.#isClosed) return;
    const bytes = Buffer.from(`${this.#isTorn ? "\n" : ""}${line}\n`);
    let done = 0;
    try {
      while (done < bytes.byteLength) done += writeSync(this.#fd, bytes, done);
      this.#isTorn = false;
    } catch {
      this.#isTorn ||= done > 0;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#fd);
  }
}
