/** Does one piece of work after the other: whatever needs the CA changes the same files. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs work once everything before it has ended, well or not. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  /** Ends when everything that was begun has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
