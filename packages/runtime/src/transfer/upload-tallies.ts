import type { ContentHash } from "@flare-ts/contracts";
import { type TransferAccount, TransferTally } from "./transfer-account.js";

/** So many uploads are remembered; of abandoned ones nobody asks. */
const mostTallies = 1000;

/** Tallies of uploads by their objects, over all the connections that each took. */
export class UploadTallies {
  readonly #tallies = new Map<ContentHash, TransferTally>();

  of(hash: ContentHash): TransferTally {
    const tally = this.#tallies.get(hash) ?? new TransferTally();
    this.#tallies.delete(hash);
    this.#tallies.set(hash, tally);
    for (const oldest of this.#tallies.keys()) {
      if (this.#tallies.size <= mostTallies) break;
      this.#tallies.delete(oldest);
    }
    return tally;
  }

  take(hash: ContentHash): TransferAccount | undefined {
    const tally = this.#tallies.get(hash);
    this.#tallies.delete(hash);
    return tally?.account;
  }
}
