/** Kinds of lists that pages keep: one of these changed, fetch it again. */
export type ChangeKind = "people" | "invitations" | "project" | "sites" | "kits" | "jobs" | "audit";

/** Tells listeners that something in a list changed; the stream of events passes it on to pages. */
export class Changes {
  readonly #listeners = new Set<(kind: ChangeKind) => void>();

  /** Says that a list changed; call it after the transaction. */
  publish(kind: ChangeKind): void {
    for (const listener of this.#listeners) listener(kind);
  }

  /** Listens until the returned function is called. */
  subscribe(listener: (kind: ChangeKind) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
