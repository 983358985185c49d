import { FlareError } from "@flare-ts/contracts/errors";
import type { ByteSource } from "../byte-source.js";
import { quoted } from "../peer-text.js";
import type { Batch } from "../session/batches.js";
import { termSteps } from "../session/sums-file.js";
import type { Mask } from "./mask.js";
import { type MaskedFormat, maskedLayout, wordsOf } from "./masked-format.js";
import { maxWords, type SignedStream, streamsOf, type WordKernels } from "./word-kernels.js";

export interface UnmaskedSumsInit {
  readonly format: MaskedFormat;
  /** Masked updates that `requireMasked` has let through. */
  readonly sources: readonly ByteSource[];
  /** As they were put in. */
  readonly masks: readonly Mask[];
  readonly kernels: WordKernels;
  readonly signal: AbortSignal | undefined;
}

/** The sums of masked updates without their masks, in the order of their files: weights first, then batch after batch. */
export class UnmaskedSums {
  readonly #init: UnmaskedSumsInit;
  readonly #streams: readonly SignedStream[];
  #position: number;

  constructor(init: UnmaskedSumsInit) {
    this.#init = init;
    this.#streams = streamsOf(init.masks, "out");
    this.#position = maskedLayout(init.format).dataOffset;
  }

  /** The sum of the weights of each tensor of the model. @throws `aggregate/unmasking-failed` */
  async weights(): Promise<readonly number[]> {
    const { format, sources, kernels } = this.#init;
    const words = new BigInt64Array(wordsOf(format));
    for (let from = 0; from < words.length; from += maxWords) {
      const count = Math.min(maxWords, words.length - from);
      await this.#sum(count);
      words.set(kernels.words.subarray(0, count), from);
    }
    const contributors = sources.length;
    const unit = 2 ** format.weightBits;
    const most = BigInt(contributors) * BigInt(format.maxWeight * unit);
    if (words[0] !== BigInt(contributors)) throw failed(`of ${contributors} updates their sum counts ${words[0]}`);
    if (words.some((word) => word < 0n || word > most)) throw failed(`${contributors} updates cannot have such weights`);
    return Array.from(words.subarray(1), (word) => Number(word) / unit);
  }

  /** The sums of the next batch as bytes, valid until the one after it. @throws `aggregate/unmasking-failed` */
  async next({ pieces, elements }: Batch, weights: readonly number[]): Promise<Uint8Array> {
    await this.#sum(elements);
    const { kernels, format, sources } = this.#init;
    const contributors = sources.length;
    for (const { tensor, element, count } of pieces) {
      const most = weights[tensor] === 0 ? 0n : BigInt(contributors) * termSteps;
      if (kernels.areWithin({ from: element, count }, most)) continue;
      const name = format.model.tensors[tensor]?.name ?? "";
      throw failed(`tensor ${quoted(name)} holds a sum that ${contributors} contributors cannot have made`);
    }
    return kernels.bytes(elements);
  }

  async #sum(count: number): Promise<void> {
    const { sources, kernels, signal } = this.#init;
    kernels.words.fill(0n, 0, count);
    for (const source of sources) {
      await source.read(kernels.input.subarray(0, 8 * count), this.#position);
      kernels.addInput(count);
    }
    this.#position += 8 * count;
    await kernels.add(this.#streams, count, signal);
  }
}

function failed(what: string): FlareError {
  return new FlareError("aggregate/unmasking-failed", `Masks and masked updates do not fit each other: ${what}.`);
}
