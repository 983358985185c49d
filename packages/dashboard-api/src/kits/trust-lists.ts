/** A signed list of which roots count and who is not trusted any more. */
export interface TrustListText {
  readonly number: number;
  readonly text: string;
}

/** Passes on each new trust list of the project; whoever talks to the server gives it the newest. */
export class TrustLists {
  readonly #listeners = new Set<(list: TrustListText) => void>();
  #current: TrustListText | undefined;

  /** The newest one; `undefined` before anything was revoked and no root replaced. */
  current(): TrustListText | undefined {
    return this.#current;
  }

  /** Takes a list over, and tells listeners when it is a newer one. */
  publish(list: TrustListText | undefined): void {
    if (list === undefined || (this.#current !== undefined && list.number <= this.#current.number)) return;
    this.#current = list;
    for (const listener of this.#listeners) listener(list);
  }

  /** Listens for newer lists until the returned function is called. */
  subscribe(listener: (list: TrustListText) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
