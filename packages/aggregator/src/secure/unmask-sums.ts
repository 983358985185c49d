import { FlareError } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { type ByteSource, openFileSource } from "../byte-source.js";
import { maxContributors, tooManyContributors } from "../exact/exact-scale.js";
import { quoted } from "../peer-text.js";
import { readLayout } from "../safetensors/read-header.js";
import type { WrittenFile } from "../safetensors/safetensors-writer.js";
import { writeWhole } from "../safetensors/write-whole.js";
import { type Batch, planBatches } from "../session/batches.js";
import { requireTogether, sumsMetadata } from "../session/sums-file.js";
import type { Strategy } from "../strategies/strategy.js";
import { type Mask, requireMasks } from "./mask.js";
import {
  type MaskedFormat,
  type MaskedRound,
  maskedFormat,
  maskedLayout,
  modelBytes,
  type OutputInit,
  requireMasked,
} from "./masked-format.js";
import { UnmaskedSums } from "./unmasked-sums.js";
import { withKernels } from "./word-kernels.js";

/** A masked update as it was sent. */
export interface MaskedFile {
  readonly contributor: string;
  readonly path: string;
}

/** The sums are written to `outPath`, for `AggregationSession.addSums`. */
export interface UnmaskSumsInit extends MaskedRound, OutputInit {
  /** A mean whose shares are the weights: FedAvg, FedProx, FedAvgM, FedOpt. */
  readonly strategy: Strategy;
  /** All of them are added. */
  readonly masked: readonly MaskedFile[];
  /** The masks that are left in the sum, with the signs with which they were put into it. Those that cancel are not named. */
  readonly masks: readonly Mask[];
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
    return await withKernels(async (kernels) => {
      const sums = new UnmaskedSums({ format, sources, masks: init.masks, kernels, signal: init.signal });
      const weights = await sums.weights();
      const written = await writeSums(init, format, { sums, weights, contributors });
      return { ...written, contributors, weights: Object.fromEntries(format.model.tensors.map(({ name }, i) => [name, weights[i] ?? 0])) };
    });
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

function namesOf(masked: readonly MaskedFile[]): readonly string[] {
  if (masked.length === 0) throw new FlareError("aggregate/no-contributions", "There is no masked update to add.");
  if (masked.length > maxContributors) throw tooManyContributors();
  const names = masked.map(({ contributor }) => contributor).sort();
  const twice = names.find((name, i) => name === names[i + 1]);
  if (twice === undefined) return names;
  throw new FlareError("aggregate/contributor-twice", `${quoted(twice)} is named twice.`, { facts: { contributor: twice } });
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
  return writeWhole(outPath, specs, { metadata, isDurable, isHashed, signal }, async (file) => {
    let doneBytes = 0;
    const totalBytes = modelBytes(model);
    for (const batch of planBatches(model.tensors, () => true)) {
      throwIfAborted(signal);
      const words = await sums.next(batch, weights);
      for (const { from, count } of sentRuns(batch, weights)) await file.put(words.subarray(8 * from, 8 * (from + count)));
      doneBytes += batch.bytes;
      onProgress?.({ doneBytes, totalBytes });
    }
    throwIfAborted(signal);
    return await file.finish();
  });
}

/** Words of a batch that follow each other and belong to tensors that were sent. */
function sentRuns({ pieces }: Batch, weights: readonly number[]): readonly { readonly from: number; readonly count: number }[] {
  const runs: { from: number; count: number }[] = [];
  for (const { tensor, element, count } of pieces) {
    const last = runs.at(-1);
    if (weights[tensor] === 0) continue;
    if (last !== undefined && last.from + last.count === element) last.count += count;
    else runs.push({ from: element, count });
  }
  return runs;
}
