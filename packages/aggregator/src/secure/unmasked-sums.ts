import { FlareError } from "@flare-ts/contracts/errors";
import type { ByteSource } from "../byte-source.js";
import { quoted } from "../peer-text.js";
import type { Batch } from "../session/batches.js";
import { termSteps } from "../session/sums-file.js";
import type { Mask } from "./mask.js";
import { type MaskedFormat, maskedLayout, wordsOf } from "./masked-format.js";
import { maxWords, type SignedStream, streamsOf, WordKernels } from "./word-kernels.js";

export interface UnmaskedSumsInit {
  readonly format: MaskedFormat;
  /** Masked updates that `requireMasked` has let through. */
  readonly sources: readonly ByteSource[];
  /** As they were put in. */
  readonly masks: readonly Mask[];
  readonly signal: AbortSignal | undefined;
}

/** The sums of masked updates without their masks, in the order of their files: weights first, then batch after batch. */
export class UnmaskedSums {
  readonly #init: UnmaskedSumsInit;
  readonly #kernels: WordKernels;
  readonly #streams: readonly SignedStream[];
  #position: number;

  private constructor(init: UnmaskedSumsInit, kernels: WordKernels) {
    this.#init = init;
    this.#kernels = kernels;
    this.#streams = streamsOf(init.masks, "out");
    this.#position = maskedLayout(init.format).dataOffset;
  }

  /** @throws `aggregate/engine-unavailable`, `aggregate/memory-exhausted` */
  static async create(init: UnmaskedSumsInit): Promise<UnmaskedSums> {
    return new UnmaskedSums(init, await WordKernels.create());
  }

  /** The sum of the weights of each tensor of the model. @throws `aggregate/unmasking-failed` */
  async weights(): Promise<readonly number[]> {
    const { format, sources } = this.#init;
    const words = new BigInt64Array(wordsOf(format));
    for (let from = 0; from < words.length; from += maxWords) {
      const count = Math.min(maxWords, words.length - from);
      await this.#sum(count);
      words.set(this.#kernels.words.subarray(0, count), from);
    }
    const contributors = sources.length;
    const unit = 2 ** format.weightBits;
    const most = BigInt(contributors) * BigInt(format.maxWeight * unit);
    if (words[0] !== BigInt(contributors)) throw failed(`of ${contributors} updates their sum counts ${words[0]}`);
    if (words.some((word) => word < 0n || word > most)) throw failed(`${contributors} updates cannot have such weights`);
    return Array.from(words.subarray(1), (word) => Number(word) / unit);
  }

  /** The sums of the next batch, valid until the one after it. @throws `aggregate/unmasking-failed` */
  async next({ pieces, elements }: Batch, weights: readonly number[]): Promise<{ readonly bytes: Uint8Array }> {
    await this.#sum(elements);
    const contributors = this.#init.sources.length;
    for (const { tensor, element, count } of pieces) {
      const most = weights[tensor] === 0 ? 0n : BigInt(contributors) * termSteps;
      if (this.#kernels.areWithin({ from: element, count }, most)) continue;
      const name = this.#init.format.model.tensors[tensor]?.name ?? "";
      throw failed(`tensor ${quoted(name)} holds a sum that ${contributors} contributors cannot have made`);
    }
    return { bytes: this.#kernels.bytes(elements) };
  }

  async #sum(count: number): Promise<void> {
    const { sources, signal } = this.#init;
    this.#kernels.words.fill(0n, 0, count);
    for (const source of sources) {
      await source.read(this.#kernels.input.subarray(0, 8 * count), this.#position);
      this.#kernels.addInput(count);
    }
    this.#position += 8 * count;
    await this.#kernels.add(this.#streams, count, signal);
  }
}

function failed(what: string): FlareError {
  return new FlareError("aggregate/unmasking-failed", `Masks and masked updates do not fit each other: ${what}.`);
}
