import { FlareError } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { type ByteSource, openFileSource } from "../byte-source.js";
import { quoted } from "../peer-text.js";
import { readLayout } from "../safetensors/read-header.js";
import type { WrittenFile } from "../safetensors/safetensors-writer.js";
import { writeWhole } from "../safetensors/write-whole.js";
import { planBatches } from "../session/batches.js";
import { matchLayout } from "../session/match-layout.js";
import type { StoredTensors } from "../session/stored-tensor.js";
import { isFloatDtype } from "../tensor.js";
import { type Mask, requireMasks } from "./mask.js";
import { type MaskedFormat, type MaskedRound, maskedFormat, modelBytes, type OutputInit } from "./masked-format.js";
import { maskedWeight } from "./masked-weight.js";
import { UpdateTerms } from "./update-terms.js";
import { maxWords, streamsOf, withKernels } from "./word-kernels.js";

export interface MaskUpdateInit extends MaskedRound, OutputInit {
  /** Safetensors file of the update; compressed forms are decoded. It is read once. */
  readonly source: string;
  /** How messages call the sender; it does not go into the file. */
  readonly contributor: string;
  /** Number of samples. Whole numbers up to 2^29 count as they are, others rounded to the round's grid of weights. */
  readonly weight: number;
  /** At least one. A seed that was used for another update would show the difference of the two. */
  readonly masks: readonly Mask[];
}

/** What became of an update that was masked. */
export interface MaskReport extends WrittenFile {
  /** What the update counts with. */
  readonly weight: number;
  /** Tensors of the model that the update lacks; nobody sees it of the masked one. */
  readonly leftOut: readonly string[];
}

/**
 * Writes an update so that nobody can read it, and the sum of all can be read all the same: each value as a whole number of grid
 * steps, each weight likewise, and masks added to all of them modulo 2^64. The file says nothing but how large the model is: the same
 * tensors are in it whatever the update lacks, and its weight is masked like its values. A chunk is in memory at a time. The same
 * arguments give the same bytes.
 *
 * @throws `aggregate/mask-invalid`, `aggregate/weight-invalid`, `aggregate/weight-too-large`, `aggregate/update-empty`,
 *   `aggregate/unknown-tensor`, `aggregate/layout-mismatch`, `aggregate/compression-invalid`, `aggregate/not-finite`,
 *   `aggregate/value-invalid`, `aggregate/out-of-range`, `aggregate/scale-incomplete`, `aggregate/safetensors-…`, `file/…`,
 *   `internal/aborted`; no file is left then
 * @see K. Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017
 */
export async function maskUpdate(init: MaskUpdateInit): Promise<MaskReport> {
  throwIfAborted(init.signal);
  requireMasks(init.masks, true);
  const format = await maskedFormat(init);
  const weight = maskedWeight(init.weight, init.contributor, format);
  const source = await openFileSource(init.source);
  try {
    const stored = await storedTensors(format, source, init.contributor);
    requireWhole(format, stored, weight, init.contributor);
    const written = await writeMasked(init, format, { source, stored, weight });
    const leftOut = format.model.tensors.flatMap(({ name }, tensor) => (stored[tensor] === undefined ? [name] : []));
    return { ...written, weight, leftOut };
  } finally {
    await source.close();
  }
}

async function storedTensors({ model }: MaskedFormat, source: ByteSource, contributor: string): Promise<StoredTensors> {
  const layout = await readLayout(source);
  if (layout.tensors.length === 0)
    throw new FlareError("aggregate/update-empty", `The update of ${quoted(contributor)} holds no tensor.`, { facts: { contributor } });
  return matchLayout(model, layout, source, contributor);
}

/** Sums of integers are whole numbers. */
function requireWhole({ model }: MaskedFormat, stored: StoredTensors, weight: number, contributor: string): void {
  const integers = model.tensors.find(({ dtype }, tensor) => !isFloatDtype(dtype) && stored[tensor] !== undefined);
  if (integers === undefined || Number.isSafeInteger(weight)) return;
  throw new FlareError(
    "aggregate/weight-invalid",
    `The weight of ${quoted(contributor)} is ${weight}; it must be a whole number for sums of tensor ${quoted(integers.name)}, which holds integers.`,
    { facts: { contributor, weight: String(weight) } },
  );
}

async function writeMasked(
  { masks, outPath, isDurable, isHashed, contributor, onProgress, signal }: MaskUpdateInit,
  format: MaskedFormat,
  { source, stored, weight }: { readonly source: ByteSource; readonly stored: StoredTensors; readonly weight: number },
): Promise<WrittenFile> {
  const { specs, metadata, model } = format;
  return withKernels(async (kernels) => {
    const streams = streamsOf(masks, "in");
    const terms = new UpdateTerms({ format, source, stored, contributor, weight, kernels });
    return writeWhole(outPath, specs, { metadata, isDurable, isHashed, signal }, async (file) => {
      const putMasked = async (count: number): Promise<void> => {
        await kernels.add(streams, count, signal);
        await file.put(kernels.bytes(count));
      };
      const words = weightWords(format, stored, weight);
      for (let from = 0; from < words.length; from += maxWords) {
        const some = words.subarray(from, from + maxWords);
        kernels.words.set(some);
        await putMasked(some.length);
      }
      let doneBytes = 0;
      const totalBytes = modelBytes(model);
      for (const batch of planBatches(model.tensors, () => true)) {
        throwIfAborted(signal);
        await terms.write(batch);
        await putMasked(batch.elements);
        doneBytes += batch.bytes;
        onProgress?.({ doneBytes, totalBytes });
      }
      throwIfAborted(signal);
      return await file.finish();
    });
  });
}

/** One that counts the update, then its weight for each tensor of the model, on the grid of weights. */
function weightWords({ model, weightBits }: MaskedFormat, stored: StoredTensors, weight: number): BigInt64Array {
  const word = BigInt(weight * 2 ** weightBits);
  return BigInt64Array.from([1n, ...model.tensors.map((_, tensor) => (stored[tensor] === undefined ? 0n : word))]);
}
