/** Does one piece of work after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs work once everything before it has ended, well or not. What fails is its caller's to report. */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  /** Resolves when everything that was begun has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** Does the same for each key by itself; nothing is kept of a key for which nothing is under way. */
export class TurnsByKey {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const last = turn.catch(() => undefined);
    this.#last.set(key, last);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === last) this.#last.delete(key);
    }
  }
}
