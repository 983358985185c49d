import type { ContentHash } from "@flare-ts/contracts";
import { type TransferAccount, TransferTally } from "./transfer-account.js";

/** So many uploads are remembered; of abandoned ones nobody asks. */
const mostTallies = 1000;

/** Tallies of uploads by participant and object, over all the connections that each took. */
export class UploadTallies {
  readonly #tallies = new Map<string, TransferTally>();

  of(name: string, hash: ContentHash): TransferTally {
    const key = keyOf(name, hash);
    const tally = this.#tallies.get(key) ?? new TransferTally();
    this.#tallies.delete(key);
    this.#tallies.set(key, tally);
    for (const oldest of this.#tallies.keys()) {
      if (this.#tallies.size <= mostTallies) break;
      this.#tallies.delete(oldest);
    }
    return tally;
  }

  take(name: string, hash: ContentHash): TransferAccount | undefined {
    const key = keyOf(name, hash);
    const tally = this.#tallies.get(key);
    this.#tallies.delete(key);
    return tally?.account;
  }
}

function keyOf(name: string, hash: ContentHash): string {
  return `${hash} ${name}`;
}
