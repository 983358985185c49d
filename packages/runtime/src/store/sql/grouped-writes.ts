/** What is to be written, and who waits for it. */
interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Writes items that come at about the same time in one transaction, as its commit costs as much for one as for many. Each caller hears
 * of its own item, and not before that is durable.
 */
export class GroupedWrites<Item, Result> {
  readonly #write: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Item, Result>[] = [];

  /** `write` gives a result for each item, or fails and has written none of them. */
  constructor(components: { readonly write: (items: readonly Item[]) => Promise<readonly Result[]> }) {
    this.#write = components.write;
  }

  /** Resolves when the item is written. @throws what its own writing throws, whatever happens to others of its group */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      // Whatever else has come in with it is read first.
      if (this.#waiting.length === 0) setImmediate(() => this.#flush());
      this.#waiting.push({ item, resolve, reject });
    });
  }

  #flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    void this.#writeGroup(group);
  }

  async #writeGroup(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#write(group.map(({ item }) => item));
      for (const [i, { resolve, reject }] of group.entries()) {
        const result = results[i];
        if (result === undefined) reject(new RangeError("a write gave too few results"));
        else resolve(result);
      }
    } catch (reason) {
      if (group.length === 1) group[0]?.reject(reason);
      // One that fails must not take the others with it.
      else for (const one of group) await this.#writeGroup([one]);
    }
  }
}
