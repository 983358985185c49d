import { open } from "node:fs/promises";
import { limits } from "@flare-ts/contracts/errors";

export interface LogTailComponents {
  /** Takes whole lines; resolves when more can be taken. */
  readonly take: (lines: readonly string[]) => Promise<void>;
  /** Takes out of lines what nobody is to read, before they are cut. @default nothing is taken out */
  readonly hide?: (lines: readonly string[]) => readonly string[];
}

export interface LogTailInit {
  readonly file: string;
  /** How often the file is looked at, in milliseconds. @default 250 */
  readonly everyMs?: number;
}

/** Follows a log file that grows, from its present end, and hands its lines on as fast as they are taken. */
export class LogTail {
  readonly #take: LogTailComponents["take"];
  readonly #hide: NonNullable<LogTailComponents["hide"]>;
  readonly #file: string;
  readonly #everyMs: number;
  /** Bytes that were read. */
  #offset = 0;
  /** The beginning of a line whose end is not written yet. */
  #rest = "";
  #isWithinLine = false;
  #decoder = new TextDecoder();
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(components: LogTailComponents, init: LogTailInit) {
    this.#take = components.take;
    this.#hide = components.hide ?? ((lines) => lines);
    this.#file = init.file;
    this.#everyMs = init.everyMs ?? 250;
  }

  /** Skips what the file holds, and begins. */
  async start(): Promise<void> {
    this.#offset = await this.#size();
    this.#lookLater();
  }

  /** Hands on what is left, the end of an unfinished line too. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#reading;
    await this.#readOn();
    if (this.#rest !== "") await this.#give([this.#rest]);
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      this.#reading = this.#readOn()
        .catch(() => undefined)
        .finally(() => {
          if (!this.#isStopped) this.#lookLater();
        });
    }, this.#everyMs);
    this.#timer.unref();
  }

  async #readOn(): Promise<void> {
    const size = await this.#size();
    if (size < this.#offset) {
      // It began anew, perhaps within a line.
      this.#offset = 0;
      this.#rest = "";
      this.#isWithinLine = true;
    }
    while (this.#offset < size) {
      const bytes = await this.#bytes(Math.min(size - this.#offset, limits.outputBatchBytes));
      if (bytes.length === 0) return;
      this.#offset += bytes.length;
      const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r/);
      if (this.#isWithinLine && lines.length > 1) {
        lines.shift();
        this.#isWithinLine = false;
      }
      // A line without end must not fill the memory.
      this.#rest = (lines.pop() ?? "").slice(0, 2 * limits.logLineChars);
      if (lines.length > 0) await this.#give(lines);
    }
  }

  async #give(lines: readonly string[]): Promise<void> {
    await this.#take(this.#hide(lines).map((line) => line.slice(0, limits.logLineChars)));
  }

  async #size(): Promise<number> {
    try {
      const handle = await open(this.#file, "r");
      try {
        return (await handle.stat()).size;
      } finally {
        await handle.close();
      }
    } catch {
      return 0;
    }
  }

  async #bytes(length: number): Promise<Buffer> {
    const handle = await open(this.#file, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, this.#offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
}
