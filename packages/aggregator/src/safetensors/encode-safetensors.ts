import { FlareError } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import { dtypeBytes, elementsOf, type Tensor, type TensorData, viewOf } from "../tensor.js";
import { buildHeader } from "./build-header.js";
import { parseSafetensorsHeader } from "./read-header.js";

/**
 * Makes a safetensors file in memory; for models that fit there several times. The same tensors in the same order give the
 * same bytes.
 *
 * @param tensors - a map, or `Object.entries` of a record
 * @throws `aggregate/tensor-invalid` when data, type and shape of a tensor do not fit, `aggregate/safetensors-limit`
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors];
  for (const [name, tensor] of entries) checkTensor(name, tensor);
  const { bytes: header, layout } = buildHeader(
    entries.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    metadata,
  );
  const file = new Uint8Array(layout.totalBytes);
  file.set(header);
  for (const [index, place] of layout.tensors.entries()) {
    const data = entries[index]?.[1].data;
    if (data !== undefined) file.set(bytesOf(data), layout.dataOffset + place.byteOffset);
  }
  return file;
}

/**
 * Reads a safetensors file in memory into tensors that own their data, in the order of the file.
 *
 * @param label - how messages call the file
 * @throws as `readSafetensorsHeader`
 */
export function decodeSafetensors(bytes: Uint8Array, label?: string): Map<string, Tensor> {
  const { tensors, dataOffset } = parseSafetensorsHeader(bytes, label);
  const decoded = new Map<string, Tensor>();
  for (const { name, dtype, shape, byteOffset, byteLength } of tensors) {
    // Not slice(): a Buffer's slice would share the memory, and its odd places.
    const own = new Uint8Array(bytes.subarray(dataOffset + byteOffset, dataOffset + byteOffset + byteLength));
    decoded.set(name, { dtype, shape, data: viewOf(dtype, own.buffer, 0, byteLength / dtypeBytes[dtype]) });
  }
  return decoded;
}

/** Refuses a tensor whose data does not fit its type and shape. @throws `aggregate/tensor-invalid` */
function checkTensor(name: string, { dtype, shape, data }: Tensor): void {
  const wanted = Object.hasOwn(dtypeBytes, dtype) ? viewOf(dtype, new ArrayBuffer(0), 0, 0).constructor : undefined;
  const elements = elementsOf(shape);
  if (wanted !== undefined && data.constructor === wanted && data.length === elements) return;
  throw new FlareError(
    "aggregate/tensor-invalid",
    `Tensor ${quoted(name)}: ${data.length} elements in a ${data.constructor.name} for ${dtype} of shape [${shape.join(", ")}].`,
    { facts: { tensor: name, dtype, elements: data.length } },
  );
}

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
