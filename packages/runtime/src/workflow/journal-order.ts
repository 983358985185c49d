import type { JournalEntry } from "../job/job-event.js";

/** Puts entries of a journal, which come in any order and more than once, into the order of their numbers. */
export class JournalOrder {
  readonly #early = new Map<number, JournalEntry>();
  #last: number | undefined;

  /** What came by now and is no news is forgotten. */
  begin(last: number): void {
    this.#last = last;
  }

  /** Takes an entry, and gives those that are next; none before it has begun. */
  take(entry: JournalEntry): readonly JournalEntry[] {
    if (this.#last !== undefined && entry.seq <= this.#last) return [];
    this.#early.set(entry.seq, entry);
    return this.next();
  }

  next(): readonly JournalEntry[] {
    if (this.#last === undefined) return [];
    const found: JournalEntry[] = [];
    for (let entry = this.#early.get(this.#last + 1); entry !== undefined; entry = this.#early.get(this.#last + 1)) {
      this.#early.delete(entry.seq);
      this.#last = entry.seq;
      found.push(entry);
    }
    return found;
  }
}
