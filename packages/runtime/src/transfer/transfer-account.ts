import type { Chunk } from "../transport/connection.js";
import { lengthOf } from "./chunk-forms.js";

/** What became of the bytes of one transfer. Of a transfer over several connections all are counted, those lost on the way too. */
export interface TransferAccount {
  /** Bytes of chunks that went over the link. */
  readonly sentBytes: number;
  /** Bytes that the receiver took from an object that it had. */
  readonly copiedBytes: number;
  /** Bytes that were zeros. */
  readonly zeroBytes: number;
  /** Bytes that compression saved. */
  readonly compressedAwayBytes: number;
}

/** What became of an object that went as it is. */
export function sentWhole(bytes: number): TransferAccount {
  return { sentBytes: bytes, copiedBytes: 0, zeroBytes: 0, compressedAwayBytes: 0 };
}

/** Counts the chunks of one transfer. */
export class TransferTally {
  #sentBytes = 0;
  #copiedBytes = 0;
  #zeroBytes = 0;
  #compressedAwayBytes = 0;

  count(chunk: Chunk): void {
    const { data, packed } = chunk;
    this.#sentBytes += data.byteLength;
    if (packed === undefined) return;
    if (packed.form === "copy") this.#copiedBytes += packed.length;
    else if (packed.form === "zeros") this.#zeroBytes += packed.length;
    else this.#compressedAwayBytes += lengthOf(chunk) - data.byteLength;
  }

  get account(): TransferAccount {
    return {
      sentBytes: this.#sentBytes,
      copiedBytes: this.#copiedBytes,
      zeroBytes: this.#zeroBytes,
      compressedAwayBytes: this.#compressedAwayBytes,
    };
  }
}
