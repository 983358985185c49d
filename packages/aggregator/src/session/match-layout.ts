import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { ByteSource } from "../byte-source.js";
import { compressionOf, indicesName, scalesName } from "../compression/compressed-format.js";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout, TensorPlace } from "../safetensors/layout.js";
import { type Dtype, elementsOf } from "../tensor.js";
import { blockElements } from "./batches.js";
import type { StoredTensor, StoredTensors } from "./stored-tensor.js";

/** The model that updates are compared with. */
export interface ModelIndex {
  readonly tensors: SafetensorsLayout["tensors"];
  readonly indexOf: ReadonlyMap<string, number>;
}

/** Makes a model's tensors findable by name. */
export function indexModel({ tensors }: Pick<SafetensorsLayout, "tensors">): ModelIndex {
  return { tensors, indexOf: new Map(tensors.map(({ name }, index) => [name, index])) };
}

/** Refuses a compressed update where a model is wanted. @throws `aggregate/compression-invalid` */
export function requirePlainModel(layout: SafetensorsLayout, file: string): void {
  if (compressionOf(layout) === undefined) return;
  throw new FlareError(
    "aggregate/compression-invalid",
    `${file} is a compressed update, which does not say what types the model has; give the model itself.`,
    { facts: { file } },
  );
}

/**
 * Finds the model's tensors in a file: how each is stored there.
 *
 * @param who - how messages call the file's sender
 * @param form - `update`: values may be compressed; `plain`: they may not; `sums`: they are I64 whatever the model's types
 * @throws `aggregate/unknown-tensor`, `aggregate/layout-mismatch`, `aggregate/compression-invalid`
 */
export async function matchLayout(
  model: ModelIndex,
  layout: SafetensorsLayout,
  source: ByteSource,
  who: string,
  form: "update" | "plain" | "sums" = "update",
): Promise<StoredTensors> {
  const stored: (StoredTensor | undefined)[] = model.tensors.map(() => undefined);
  const compression = form === "update" ? compressionOf(layout) : undefined;
  const companions = new Map(layout.tensors.map((tensor) => [tensor.name, tensor]));
  for (const found of layout.tensors) {
    if (compression !== undefined && isCompanion(found.name, companions)) continue;
    const { index, wanted } = modelTensor(model, found, who);
    const offset = layout.dataOffset + found.byteOffset;
    const companion = (name: string): (TensorPlace & { readonly offset: number }) | undefined => {
      const tensor = companions.get(name);
      return tensor === undefined ? undefined : { ...tensor, offset: layout.dataOffset + tensor.byteOffset };
    };
    const scales = companion(scalesName(found.name));
    const indices = companion(indicesName(found.name));
    if (compression !== undefined && scales !== undefined) {
      stored[index] = int8Tensor(found, wanted, offset, scales, compression.int8Block, who);
    } else if (compression !== undefined && indices !== undefined) {
      stored[index] = await sparseTensor(found, wanted, offset, indices, source, who);
    } else {
      const dtype = form === "sums" ? "I64" : storedDtype(found, wanted, compression !== undefined);
      requireSame(found, { ...wanted, dtype }, who);
      stored[index] = { kind: "plain", dtype, offset };
    }
  }
  return stored;
}

/** Finds the model's tensor that a tensor of a file is for. @throws `aggregate/unknown-tensor` */
export function modelTensor(
  { tensors, indexOf }: ModelIndex,
  { name }: TensorPlace,
  who: string,
): { readonly index: number; readonly wanted: TensorPlace } {
  const index = indexOf.get(name) ?? -1;
  const wanted = tensors[index];
  if (wanted === undefined) {
    throw new FlareError("aggregate/unknown-tensor", `Tensor ${quoted(name)} of ${quoted(who)} is not in the model.`, {
      facts: { contributor: who, tensor: name.slice(0, limits.peerTextChars) },
    });
  }
  return { index, wanted };
}

/** The type that a plain tensor has to be of: the model's, or F16 and BF16 for its F32 in files that say that they are compressed. */
export function storedDtype(found: TensorPlace, wanted: TensorPlace, isCompressed: boolean): Dtype {
  const isShort = isCompressed && wanted.dtype === "F32" && (found.dtype === "F16" || found.dtype === "BF16");
  return isShort ? found.dtype : wanted.dtype;
}

/** @throws `aggregate/layout-mismatch` where type or shape differ */
export function requireSame(found: TensorPlace, wanted: TensorPlace, who: string): void {
  if (found.dtype !== wanted.dtype || !isSameShape(found.shape, wanted.shape)) throw mismatch(found, wanted, who);
}

function int8Tensor(
  found: TensorPlace,
  wanted: TensorPlace,
  offset: number,
  scales: TensorPlace & { readonly offset: number },
  block: number,
  who: string,
): StoredTensor {
  if (found.dtype !== "I8" || !isSameShape(found.shape, wanted.shape) || !isDecodable(wanted)) throw mismatch(found, wanted, who);
  const blocks = Math.ceil((elementsOf(found.shape) ?? 0) / block);
  if (scales.dtype !== "F32" || scales.shape.length !== 1 || scales.shape[0] !== blocks) {
    throw invalid(
      found.name,
      who,
      `needs ${blocks} scales of F32 for blocks of ${block}, and has ${scales.dtype} [${scales.shape.join(", ")}]`,
    );
  }
  return { kind: "int8", offset, scales: scales.offset, block };
}

async function sparseTensor(
  found: TensorPlace,
  wanted: TensorPlace,
  offset: number,
  indices: TensorPlace & { readonly offset: number },
  source: ByteSource,
  who: string,
): Promise<StoredTensor> {
  const elements = elementsOf(wanted.shape) ?? 0;
  const count = found.shape[0] ?? 0;
  if (found.dtype !== "F32" || found.shape.length !== 1 || !isDecodable(wanted)) throw mismatch(found, wanted, who);
  if (indices.dtype !== "I32" || indices.shape.length !== 1 || indices.shape[0] !== count) {
    throw invalid(found.name, who, `needs ${count} indices of I32, and has ${indices.dtype} [${indices.shape.join(", ")}]`);
  }
  const starts = new Float64Array(Math.ceil(elements / blockElements) + 1);
  const buffer = new Uint8Array(Math.min(4 * count, indexBytes));
  let before = -1;
  for (let done = 0; done < count; ) {
    const some = Math.min(buffer.byteLength / 4, count - done);
    await source.read(buffer.subarray(0, 4 * some), indices.offset + 4 * done);
    for (const index of new Int32Array(buffer.buffer, 0, some)) {
      if (index <= before || index >= elements)
        throw invalid(found.name, who, `has the index ${index} after ${before}, of ${elements} elements`);
      before = index;
      const next = Math.floor(index / blockElements) + 1;
      starts[next] = (starts[next] as number) + 1;
    }
    done += some;
  }
  for (let block = 1; block < starts.length; block++) starts[block] = (starts[block] as number) + (starts[block - 1] as number);
  return { kind: "sparse", offset, indices: indices.offset, starts };
}

/** Bytes of indices that are looked at together. */
const indexBytes = 256 * 1024;

/** Scales and indices of another tensor of the file. */
function isCompanion(name: string, tensors: ReadonlyMap<string, TensorPlace>): boolean {
  const end = name.lastIndexOf("::");
  if (end < 0) return false;
  const owner = name.slice(0, end);
  return tensors.has(owner) && (name === scalesName(owner) || name === indicesName(owner));
}

/** What is compressed decodes to float32. */
function isDecodable({ dtype }: TensorPlace): boolean {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function mismatch({ name, dtype, shape }: TensorPlace, wanted: TensorPlace, who: string): FlareError {
  return new FlareError(
    "aggregate/layout-mismatch",
    `Tensor ${quoted(name)} of ${quoted(who)} is ${dtype} [${shape.join(", ")}], where the model has ${wanted.dtype} [${wanted.shape.join(", ")}].`,
    {
      facts: {
        contributor: who,
        tensor: name.slice(0, limits.peerTextChars),
        dtype,
        shape,
        modelDtype: wanted.dtype,
        modelShape: wanted.shape,
      },
    },
  );
}

function invalid(name: string, who: string, what: string): FlareError {
  return new FlareError("aggregate/compression-invalid", `Tensor ${quoted(name)} of ${quoted(who)} ${what}.`, {
    facts: { contributor: who, tensor: name.slice(0, limits.peerTextChars) },
  });
}
