import { constants, copyFile, stat, truncate } from "node:fs/promises";

/** How often a log is looked at. */
const lookMs = 1_000;

export interface BoundedLogInit {
  /** A file that is appended to by whoever holds it open. */
  readonly file: string;
  /** What it may hold before it begins anew. */
  readonly mostBytes: number;
  /** In milliseconds. @default 1000 */
  readonly everyMs?: number;
}

/** Where what a log held before it began anew is kept. */
export function earlierLog(file: string): string {
  return `${file}.1`;
}

/**
 * Keeps a log that others write to within a bound: once it has outgrown that, what it holds takes the place of what was kept before, in a
 * file beside it, and the log begins anew. What is written in the moment between is lost. A disk that has no room for two keeps one.
 */
export class BoundedLog {
  readonly #init: BoundedLogInit;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(init: BoundedLogInit) {
    this.#init = init;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, init.everyMs ?? lookMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { file, mostBytes } = this.#init;
    try {
      if ((await stat(file)).size <= mostBytes) return;
      await copyFile(file, earlierLog(file), constants.COPYFILE_FICLONE).catch(() => undefined);
      await truncate(file);
    } catch {
      // The folder of a job that is over goes while this looks.
    }
  }
}
