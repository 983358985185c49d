import type { ContentHash } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";
import type { ModelStore } from "./model-store.js";

/**
 * Removes objects that nobody needs any more. A holder (a job, running or finished) names the objects that it still
 * needs; an object is removed when a holder drops it and no other holder has it.
 */
export class ObjectRetention {
  readonly #models: ModelStore;
  readonly #logger: Logger;
  readonly #onRemoved: ((hash: ContentHash) => void) | undefined;
  readonly #held = new Map<string, Set<ContentHash>>();
  readonly #removing = new Map<ContentHash, Promise<void>>();

  constructor(components: { readonly models: ModelStore; readonly logger: Logger; readonly onRemoved?: (hash: ContentHash) => void }) {
    this.#models = components.models;
    this.#logger = components.logger;
    this.#onRemoved = components.onRemoved;
  }

  /**
   * Adds to what a holder needs. Once it resolves, none of these objects is being removed: what the store then finds stays,
   * and what it does not find has to be fetched.
   */
  async hold(holder: string, hashes: Iterable<ContentHash>): Promise<void> {
    const own = this.#held.get(holder) ?? new Set();
    this.#held.set(holder, own);
    const wanted = [...hashes];
    for (const hash of wanted) own.add(hash);
    for (const hash of wanted) await this.#removing.get(hash);
  }

  /** The holder needs nothing any more. */
  async release(holder: string): Promise<void> {
    await this.keepOnly(holder, []);
    // It may have come to need something meanwhile.
    if (this.#held.get(holder)?.size === 0) this.#held.delete(holder);
  }

  /** Makes `hashes` all that the holder needs; what it drops and nobody else holds is removed. */
  async keepOnly(holder: string, hashes: Iterable<ContentHash>): Promise<void> {
    const before = this.#held.get(holder) ?? new Set();
    const after = new Set(hashes);
    this.#held.set(holder, after);
    for (const hash of before) if (!after.has(hash)) await this.#removeUnheld(hash);
  }

  /** Removes what a crash has left: every finished object that no holder names; or of other objects those that none names. */
  async sweep(hashes: AsyncIterable<ContentHash> = this.#models.list()): Promise<void> {
    for await (const hash of hashes) await this.#removeUnheld(hash);
  }

  async #removeUnheld(hash: ContentHash): Promise<void> {
    for (const own of this.#held.values()) if (own.has(hash)) return;
    this.#onRemoved?.(hash);
    const removal = this.#models
      .remove(hash)
      .catch((error: unknown) => this.#logger.warn("object could not be removed", { hash, error: errorField(error) }))
      .finally(() => {
        if (this.#removing.get(hash) === removal) this.#removing.delete(hash);
      });
    this.#removing.set(hash, removal);
    await removal;
  }
}
