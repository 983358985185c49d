import { appendFile, mkdir, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { entriesThatFit } from "./entries-that-fit.js";

export interface BoundedLinesInit {
  readonly file: string;
  /** Both files together hold no more. */
  readonly maxBytes: number;
}

/** What every line carries. */
export interface Numbered {
  /** 1, 2, 3 … without gaps as long as nothing is lost. */
  readonly seq: number;
}

/** How many of the newest entries are kept in memory for those who follow. */
const rememberedEntries = 2_000;

/**
 * JSON lines in a file that does not grow beyond a size: when it is half full it becomes `<file>.old`, in place of the one before.
 * Entries are numbered; the numbers go on after a restart.
 */
export class BoundedLines<Entry extends Numbered> {
  readonly #init: BoundedLinesInit;
  readonly #recent: Entry[] = [];
  #bytes = 0;
  #lastSeq = 0;
  #opened: Promise<void> | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(init: BoundedLinesInit) {
    this.#init = init;
  }

  /** Number of the newest entry. */
  async lastSeq(): Promise<number> {
    await this.#open();
    return this.#lastSeq;
  }

  /** Numbers and writes entries, in order; resolves when they are in the file. */
  append(entries: readonly Omit<Entry, "seq">[]): Promise<readonly Entry[]> {
    const written = this.#queue.then(() => this.#append(entries));
    this.#queue = written.then(
      () => undefined,
      () => undefined,
    );
    return written;
  }

  /** Entries after `after`, in order, `limit` at most, and no more than a message has room for. */
  async read(
    after: number,
    limit: number,
  ): Promise<{ readonly entries: readonly Entry[]; readonly hasMore: boolean; readonly isCut: boolean }> {
    await this.#open();
    const first = this.#recent[0];
    const isRemembered = first !== undefined && first.seq <= after + 1;
    const all = isRemembered ? this.#recent : await this.#fromFiles();
    const from = all.findIndex(({ seq }) => seq > after);
    const found = from < 0 ? [] : entriesThatFit(all.slice(from, from + limit));
    const isCut = (found[0]?.seq ?? after + 1) > after + 1;
    return { entries: found, hasMore: from >= 0 && all.length > from + found.length, isCut };
  }

  async #append(entries: readonly Omit<Entry, "seq">[]): Promise<readonly Entry[]> {
    await this.#open();
    const { file, maxBytes } = this.#init;
    if (this.#bytes === 0) await mkdir(dirname(file), { recursive: true });
    const numbered = entries.map((entry, i) => ({ ...entry, seq: this.#lastSeq + 1 + i }) as Entry);
    const text = numbered.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    const bytes = Buffer.byteLength(text);
    if (this.#bytes > 0 && this.#bytes + bytes > maxBytes / 2) {
      await rename(file, `${file}.old`);
      this.#bytes = 0;
    }
    try {
      await appendFile(file, text);
    } catch (error) {
      // A disk that became full may have taken a part: what stands there is looked at anew.
      this.#opened = undefined;
      this.#recent.length = 0;
      throw error;
    }
    this.#bytes += bytes;
    this.#lastSeq += numbered.length;
    this.#recent.push(...numbered);
    if (this.#recent.length > rememberedEntries) this.#recent.splice(0, this.#recent.length - rememberedEntries);
    return numbered;
  }

  #open(): Promise<void> {
    this.#opened ??= this.#openOnce().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #openOnce(): Promise<void> {
    const { file } = this.#init;
    this.#bytes = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    const entries = await this.#fromFiles();
    this.#lastSeq = entries.at(-1)?.seq ?? 0;
    // What a crash left half written would otherwise run into the next line.
    if (this.#bytes > 0 && !(await readFile(file, "utf8")).endsWith("\n")) {
      await appendFile(file, "\n");
      this.#bytes += 1;
    }
  }

  async #fromFiles(): Promise<Entry[]> {
    const { file } = this.#init;
    const texts = await Promise.all([`${file}.old`, file].map((path) => readFile(path, "utf8").catch(() => "")));
    return texts.flatMap((text) => text.split("\n").flatMap((line) => parse<Entry>(line)));
  }
}

function parse<Entry extends Numbered>(line: string): Entry[] {
  if (line === "") return [];
  try {
    return [JSON.parse(line) as Entry];
  } catch {
    // A line that a crash cut off.
    return [];
  }
}
