import { FlareError, limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import type { FinishProgress } from "../aggregation-engine.js";
import { type ByteSource, openFileSource } from "../byte-source.js";
import { maxContributors } from "../exact/exact-scale.js";
import { quoted } from "../peer-text.js";
import { readLayout } from "../safetensors/read-header.js";
import { SafetensorsWriter, type WrittenFile } from "../safetensors/safetensors-writer.js";
import { type Batch, batchElements, planBatches } from "../session/batches.js";
import { ReusedBuffer } from "../session/read-pieces.js";
import { requireTogether, sumsMetadata, termSteps } from "../session/sums-file.js";
import type { Strategy } from "../strategies/strategy.js";
import { type Mask, requireMasks } from "./mask.js";
import { MaskStreams } from "./mask-streams.js";
import { type MaskedFormat, type MaskedRound, maskedFormat, maskedLayout, requireMasked, wordsOf } from "./masked-format.js";

/** A masked update as it was sent. */
export interface MaskedFile {
  readonly contributor: string;
  readonly path: string;
}

export interface UnmaskSumsInit extends MaskedRound {
  /** A mean whose shares are the weights: FedAvg, FedProx, FedAvgM, FedOpt. */
  readonly strategy: Strategy;
  /** All of them are added. */
  readonly masked: readonly MaskedFile[];
  /** The masks that are left in the sum, with the signs with which they were put into it. Those that cancel are not named. */
  readonly masks: readonly Mask[];
  /** Where the sums go, for `AggregationSession.addSums`. */
  readonly outPath: string;
  /** As of `FinishInit`. @default true */
  readonly isDurable?: boolean | undefined;
  /** @default true */
  readonly isHashed?: boolean | undefined;
  readonly onProgress?: ((progress: FinishProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is known of updates that were summed without being seen. */
export interface UnmaskReport extends WrittenFile {
  /** Sorted by name. */
  readonly contributors: readonly string[];
  /** The sum of the weights behind each tensor of the model, by its name; 0 where nobody sent it. */
  readonly weights: Readonly<Record<string, number>>;
}

/**
 * Adds masked updates, takes away the masks that did not cancel, and writes the sums. Nothing else of the updates can be told then
 * than their sums: no value, weight, norm or missing tensor of any one. A chunk is in memory at a time.
 *
 * @throws `aggregate/masked-invalid`, `aggregate/unmasking-failed` where a mask is wrong, missing or one too many, `aggregate/mask-invalid`,
 *   `aggregate/strategy-unfit`, `aggregate/no-contributions`, `aggregate/contributor-twice`, `aggregate/too-many-contributors`,
 *   `aggregate/scale-incomplete`, `aggregate/weight-invalid` for `maxWeight`, `aggregate/safetensors-…`, `file/…`,
 *   `internal/aborted`; no file is left then
 */
export async function unmaskSums(init: UnmaskSumsInit): Promise<UnmaskReport> {
  throwIfAborted(init.signal);
  requireMasks(init.masks, false);
  requireTogether(init.strategy);
  const contributors = namesOf(init.masked);
  const format = await maskedFormat(init);
  const sources: ByteSource[] = [];
  try {
    for (const { contributor, path } of init.masked) {
      const source = await openFileSource(path);
      sources.push(source);
      requireMasked(format, await readLayout(source), contributor);
    }
    const sums = new UnmaskedSums(format, sources, init.masks);
    const weights = await sums.weights();
    const written = await writeSums(init, format, { sums, weights, contributors });
    return { ...written, contributors, weights: Object.fromEntries(format.model.tensors.map(({ name }, i) => [name, weights[i] ?? 0])) };
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

function namesOf(masked: readonly MaskedFile[]): readonly string[] {
  if (masked.length === 0) throw new FlareError("aggregate/no-contributions", "There is no masked update to add.");
  if (masked.length > maxContributors) {
    throw new FlareError("aggregate/too-many-contributors", `More than ${maxContributors} contributors.`, {
      facts: { limit: maxContributors },
    });
  }
  const names = masked.map(({ contributor }) => contributor).sort();
  const twice = names.find((name, i) => name === names[i + 1]);
  if (twice === undefined) return names;
  throw new FlareError("aggregate/contributor-twice", `${quoted(twice)} is named twice.`, { facts: { contributor: twice } });
}

/** Sums of masked updates without their masks, in the order of the file. */
class UnmaskedSums {
  readonly #format: MaskedFormat;
  readonly #sources: readonly ByteSource[];
  readonly #streams: MaskStreams;
  readonly #buffer = new ReusedBuffer();
  readonly #space = new BigInt64Array(batchElements);
  #position: number;

  constructor(format: MaskedFormat, sources: readonly ByteSource[], masks: readonly Mask[]) {
    this.#format = format;
    this.#sources = sources;
    this.#streams = new MaskStreams(masks);
    this.#position = maskedLayout(format).dataOffset;
  }

  /** The sum of the weights of each tensor. @throws `aggregate/unmasking-failed` */
  async weights(): Promise<readonly number[]> {
    const count = wordsOf(this.#format);
    const words = new BigInt64Array(count);
    for (let done = 0; done < count; done += batchElements) {
      const some = Math.min(batchElements, count - done);
      words.set(await this.#next(some), done);
    }
    const contributors = this.#sources.length;
    const most = BigInt(contributors) * BigInt(this.#format.maxWeight * 2 ** this.#format.weightBits);
    if (words[0] !== BigInt(contributors) || words.some((word) => word < 0n || word > most))
      throw failed(`the sum of ${contributors} masked updates counts ${words[0]} of them`);
    return Array.from(words.subarray(1), (word) => Number(word) * 2 ** -this.#format.weightBits);
  }

  /** The sums of the next batch. @throws `aggregate/unmasking-failed` */
  async next({ pieces, elements }: Batch, weights: readonly number[]): Promise<BigInt64Array> {
    const sums = await this.#next(elements);
    for (const { tensor, element, count } of pieces) {
      const most = weights[tensor] === 0 ? 0n : BigInt(this.#sources.length) * termSteps;
      const wrong = sums.subarray(element, element + count).find((sum) => sum > most || sum < -most);
      if (wrong === undefined) continue;
      const name = this.#format.model.tensors[tensor]?.name ?? "";
      throw failed(`tensor ${quoted(name)} holds a sum that ${this.#sources.length} contributors cannot have made`);
    }
    return sums;
  }

  async #next(count: number): Promise<BigInt64Array> {
    const sums = this.#space.subarray(0, count).fill(0n);
    for (const source of this.#sources) {
      const bytes = this.#buffer.of(8 * count);
      await source.read(bytes.subarray(0, 8 * count), this.#position);
      const words = new BigInt64Array(bytes.buffer, 0, count);
      for (let i = 0; i < count; i++) sums[i] = (sums[i] as bigint) + (words[i] as bigint);
    }
    this.#position += 8 * count;
    this.#streams.remove(sums);
    return sums;
  }
}

async function writeSums(
  { strategy, paramsType, outPath, isDurable, isHashed, onProgress, signal, masked }: UnmaskSumsInit,
  format: MaskedFormat,
  {
    sums,
    weights,
    contributors,
  }: { readonly sums: UnmaskedSums; readonly weights: readonly number[]; readonly contributors: readonly string[] },
): Promise<WrittenFile> {
  const { model, gridBits } = format;
  const specs = model.tensors.filter((_, i) => weights[i] !== 0).map(({ name, shape }) => ({ name, shape, dtype: "I64" as const }));
  const bytes = masked.length * maskedLayout(format).totalBytes;
  const heading = { strategy: strategy.name, paramsType, gridBits: [...gridBits] };
  const metadata = sumsMetadata(model, heading, { named: [], together: [{ contributors, weights, bytes }] });
  const file = await SafetensorsWriter.create(outPath, specs, { metadata, isDurable, isHashed, signal });
  try {
    let doneBytes = 0;
    const totalBytes = model.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
    for (const batch of planBatches(model.tensors, () => true)) {
      throwIfAborted(signal);
      const words = await sums.next(batch, weights);
      for (const { tensor, element, count } of batch.pieces) {
        if (weights[tensor] === 0) continue;
        await file.put(new Uint8Array(words.buffer, words.byteOffset + 8 * element, 8 * count));
      }
      doneBytes += batch.bytes;
      onProgress?.({ doneBytes, totalBytes });
    }
    return await file.finish();
  } catch (cause) {
    await file.discard();
    throw cause;
  }
}

function failed(what: string): FlareError {
  return new FlareError(
    "aggregate/unmasking-failed",
    `The masks do not fit the masked updates: ${what.slice(0, 2 * limits.peerTextChars)}.`,
  );
}
