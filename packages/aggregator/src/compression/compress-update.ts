import { FlareError, limits } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import type { TensorPlace, TensorSpec } from "../safetensors/layout.js";
import type { SafetensorsWriter } from "../safetensors/safetensors-writer.js";
import { writeWhole } from "../safetensors/write-whole.js";
import { elementsOf } from "../tensor.js";
import { ChunkReader } from "./chunk-reader.js";
import {
  compressedKey,
  compressedMetadata,
  defaultInt8Block,
  indicesName,
  int8Blocks,
  isInt8Block,
  scalesName,
} from "./compressed-format.js";
import { encodeShort, Int8Encoder, type TensorEncoder } from "./encoders.js";
import { LargestElements } from "./largest-elements.js";

/** Forms that an update can be compressed to. */
export const compressionForms = ["float16", "bfloat16", "int8", "top-k"] as const;

export type CompressionForm = (typeof compressionForms)[number];

export interface CompressUpdateInit {
  /** Safetensors file of the update. */
  readonly source: string;
  /** Where the compressed one goes. */
  readonly outPath: string;
  /**
   * Model that the update was trained from, when the update is a whole model: its difference to it is compressed, which is smaller and so
   * loses less, and the result is a DIFF.
   */
  readonly base?: string | undefined;
  readonly form: CompressionForm;
  /** Elements that share a scale in int8: a power of two from 32 to 4096. @default 256 */
  readonly block?: number | undefined;
  /** Share of the elements that top-k keeps, above 0 and at most 1: those of the largest magnitude. @default 0.01 */
  readonly fraction?: number | undefined;
  /** @default true */
  readonly isDurable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was compressed and what that cost. */
export interface CompressionReport {
  readonly form: CompressionForm;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Euclidean norm of what was lost, over that of the update; 0 for an update of zeros. */
  readonly relativeError: number;
  /** Largest difference of an element. */
  readonly largestError: number;
}

/**
 * Makes an update smaller for the wire; every engine decodes it while it folds. Tensors of float32 are compressed, all others
 * are kept as they are. A chunk is in memory at a time, and the scales of one tensor.
 *
 * - `float16`, `bfloat16`: half of the bytes, rounded to nearest, ties to even;
 * - `int8`: a quarter. Each block of elements has a scale of its largest magnitude / 127, rounded up to 12 significant bits; an element is
 *   scale × q;
 * - `top-k`: the share of the elements with the largest magnitudes (as far as 8 significant bits tell them apart), the
 *   others are zero; for differences (Aji and Heafield, "Sparse Communication for Distributed Gradient Descent", EMNLP 2017).
 *
 * @throws `aggregate/compression-invalid` for settings, `aggregate/unknown-tensor` and `aggregate/layout-mismatch` where update and
 *   base do not fit, `aggregate/not-finite`, `aggregate/out-of-range` for a value beyond the form,
 *   `aggregate/safetensors-…`, `file/…`, `internal/aborted`
 */
export async function compressUpdate(init: CompressUpdateInit): Promise<CompressionReport> {
  const { block = defaultInt8Block, fraction = 0.01 } = init;
  if (!isInt8Block(block))
    throw invalid(`A block of ${block} elements; a power of two from ${int8Blocks.least} to ${int8Blocks.most} is wanted.`);
  if (!(fraction > 0 && fraction <= 1)) throw invalid(`A fraction of ${fraction}; it must be above 0 and at most 1.`);
  const reader = await ChunkReader.open(init);
  try {
    const { tensors, metadata } = reader.layout;
    if (metadata[compressedKey] !== undefined) throw invalid(`${init.source} is compressed already.`);
    const kept = new Map<string, LargestElements>();
    if (init.form === "top-k")
      for (const tensor of tensors.filter(isCompressed)) kept.set(tensor.name, await choose(reader, tensor, fraction));
    const specs = tensors.flatMap((tensor) => compressedSpecs(init.form, tensor, block, kept.get(tensor.name)?.count ?? 0));
    const form = { ...metadata, ...compressedMetadata(block) };
    const { isDurable, signal } = init;
    return await writeWhole(init.outPath, specs, { metadata: form, isDurable, isHashed: false, signal }, async (writer) => {
      const errors = new Errors();
      for (const tensor of tensors)
        await writeTensor(writer, reader, tensor, { form: init.form, block, kept: kept.get(tensor.name), errors });
      const written = await writer.finish();
      return { form: init.form, bytesIn: reader.size, bytesOut: written.bytes, ...errors.report() };
    });
  } finally {
    await reader.close();
  }
}

function isCompressed({ dtype }: TensorSpec): boolean {
  return dtype === "F32";
}

function compressedSpecs(form: CompressionForm, tensor: TensorPlace, block: number, count: number): readonly TensorSpec[] {
  const { name, shape } = tensor;
  if (!isCompressed(tensor)) return [tensor];
  if (form === "float16") return [{ name, shape, dtype: "F16" }];
  if (form === "bfloat16") return [{ name, shape, dtype: "BF16" }];
  if (form === "int8") {
    return [
      { name, shape, dtype: "I8" },
      { name: scalesName(name), shape: [Math.ceil((elementsOf(shape) ?? 0) / block)], dtype: "F32" },
    ];
  }
  return [
    { name, shape: [count], dtype: "F32" },
    { name: indicesName(name), shape: [count], dtype: "I32" },
  ];
}

interface WriteTensorInit {
  readonly form: CompressionForm;
  readonly block: number;
  readonly kept: LargestElements | undefined;
  readonly errors: Errors;
}

async function writeTensor(
  writer: SafetensorsWriter,
  reader: ChunkReader,
  tensor: TensorPlace,
  { form, block, kept, errors }: WriteTensorInit,
): Promise<void> {
  if (!isCompressed(tensor)) {
    for await (const bytes of reader.bytes(tensor)) await writer.put(bytes);
    return;
  }
  if (kept !== undefined) {
    for await (const values of reader.floats(tensor)) {
      const chosen = kept.next(values);
      errors.add(values, chosen.decoded);
      await writer.put(bytesOf(chosen.values));
    }
    // A second time for the indices, which stand behind all values.
    kept.restart();
    for await (const values of reader.floats(tensor)) await writer.put(bytesOf(kept.next(values).indices));
    return;
  }
  const encoder: TensorEncoder = form === "int8" ? new Int8Encoder(block) : encodeShort(form === "float16" ? "F16" : "BF16");
  for await (const values of reader.floats(tensor)) {
    const encoded = encoder.encode(values);
    if (encoded.wrong >= 0) throw beyond(tensor, form, values[encoded.wrong] ?? 0);
    errors.add(values, encoded.decoded);
    await writer.put(encoded.bytes);
  }
  await writer.put(encoder.companion());
}

async function choose(reader: ChunkReader, tensor: TensorPlace, fraction: number): Promise<LargestElements> {
  const elements = elementsOf(tensor.shape) ?? 0;
  if (elements > limits.topKElements) throw invalid(`Tensor ${quoted(tensor.name)} has more elements than indices of 32 bits can say.`);
  const largest = new LargestElements(Math.ceil(elements * fraction));
  for await (const values of reader.floats(tensor)) largest.countMagnitudes(values);
  largest.restart();
  return largest;
}

/** Adds up what was lost. */
class Errors {
  #lost = 0;
  #squares = 0;
  #largest = 0;

  add(values: Float32Array, decoded: Float32Array): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      const difference = Math.abs(value - (decoded[i] as number));
      this.#squares += value * value;
      this.#lost += difference * difference;
      if (difference > this.#largest) this.#largest = difference;
    }
  }

  report(): { readonly relativeError: number; readonly largestError: number } {
    return { relativeError: this.#squares === 0 ? 0 : Math.sqrt(this.#lost / this.#squares), largestError: this.#largest };
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function beyond({ name }: TensorPlace, form: CompressionForm, value: number): FlareError {
  return new FlareError("aggregate/out-of-range", `Tensor ${quoted(name)} holds ${value}, which is beyond ${form}.`, {
    facts: { tensor: name.slice(0, limits.peerTextChars), value },
  });
}

function invalid(message: string): FlareError {
  return new FlareError("aggregate/compression-invalid", message);
}
