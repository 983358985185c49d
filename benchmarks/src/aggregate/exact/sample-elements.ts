import { open } from "node:fs/promises";
import { type Dtype, dtypeBytes, readSafetensorsHeader, type SafetensorsLayout } from "@flare-ts/aggregator";
import { elementCount, isFloat } from "../layouts/float-dtype.ts";

/** One element of a model. */
export interface SampledElement {
  readonly tensor: string;
  readonly index: number;
  /** Its place among all floating elements in the order of the file. */
  readonly flat: number;
}

/** Takes so many floating elements out of a model, spread over all of it, the first and the last among them. */
export function sampleElements(layout: SafetensorsLayout, count: number): readonly SampledElement[] {
  const tensors = layout.tensors.filter(isFloat);
  const total = tensors.reduce((sum, tensor) => sum + elementCount(tensor), 0);
  const wanted = Math.min(count, total);
  const elements: SampledElement[] = [];
  let begin = 0;
  let next = 0;
  const flatOf = (i: number): number => (wanted === 1 ? 0 : Math.floor((i * (total - 1)) / (wanted - 1)));
  for (const tensor of tensors) {
    const end = begin + elementCount(tensor);
    for (; next < wanted && flatOf(next) < end; next++) {
      elements.push({ tensor: tensor.name, index: flatOf(next) - begin, flat: flatOf(next) });
    }
    begin = end;
  }
  return elements;
}

/** Reads elements out of a safetensors file, as float64. @throws `file/…`, `aggregate/safetensors-…`, RangeError for one that is not there */
export async function readElements(path: string, elements: readonly SampledElement[]): Promise<readonly number[]> {
  const { tensors, dataOffset } = await readSafetensorsHeader(path);
  const places = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const file = await open(path, "r");
  try {
    const values: number[] = [];
    const bytes = new DataView(new ArrayBuffer(8));
    for (const { tensor, index } of elements) {
      const place = places.get(tensor);
      if (place === undefined) throw new RangeError(`${path} has no tensor ${tensor}`);
      const width = dtypeBytes[place.dtype];
      await file.read(new Uint8Array(bytes.buffer), 0, width, dataOffset + place.byteOffset + index * width);
      values.push(decode(bytes, place.dtype));
    }
    return values;
  } finally {
    await file.close();
  }
}

function decode(bytes: DataView, dtype: Dtype): number {
  if (dtype === "F32") return bytes.getFloat32(0, true);
  if (dtype === "F16") return halfValue(bytes.getUint16(0, true));
  if (dtype !== "BF16") throw new RangeError(`elements of type ${dtype} are not sampled`);
  // The upper half of a float32.
  const widened = new DataView(new ArrayBuffer(4));
  widened.setUint16(2, bytes.getUint16(0, true), true);
  return widened.getFloat32(0, true);
}

/** A finite binary16. */
function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return bits >> 15 === 0 ? magnitude : -magnitude;
}
