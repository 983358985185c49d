import { decodeBf16, decodeF16 } from "../half-floats.js";
import { storeFloats } from "../session/store-values.js";
import { type Dtype, dtypeBytes, viewOf } from "../tensor.js";

/**
 * Replaces elements by their difference to others, `after - before`, each rounded once to its type. `false` where a difference is beyond
 * the type, as 0 - 1 is for U8.
 *
 * @param after - elements of `dtype`, which become the differences
 * @param before - as many elements of that type
 */
export function subtractBytes(dtype: Dtype, after: Uint8Array<ArrayBuffer>, before: Uint8Array<ArrayBuffer>): boolean {
  const count = after.byteLength / dtypeBytes[dtype];
  const values = viewOf(dtype, after.buffer, after.byteOffset, count);
  const base = viewOf(dtype, before.buffer, before.byteOffset, count);
  if (values instanceof Float32Array && base instanceof Float32Array) {
    for (let i = 0; i < count; i++) {
      const difference = (values[i] as number) - (base[i] as number);
      values[i] = difference;
      // What was not finite before is for others to refuse.
      if (Math.abs(values[i] as number) === Infinity && Number.isFinite(difference)) return false;
    }
    return true;
  }
  if (values instanceof Float64Array && base instanceof Float64Array) {
    for (let i = 0; i < count; i++) {
      const [trained, received] = [values[i] as number, base[i] as number];
      values[i] = trained - received;
      if (Math.abs(values[i] as number) === Infinity && Number.isFinite(trained) && Number.isFinite(received)) return false;
    }
    return true;
  }
  if (values instanceof BigInt64Array && base instanceof BigInt64Array) {
    for (let i = 0; i < count; i++) {
      const difference = (values[i] as bigint) - (base[i] as bigint);
      values[i] = difference;
      if (values[i] !== difference) return false;
    }
    return true;
  }
  if (values instanceof Uint16Array && base instanceof Uint16Array) return subtractShort(dtype === "BF16" ? "BF16" : "F16", values, base);
  for (let i = 0; i < count; i++) {
    const difference = Number(values[i]) - Number(base[i]);
    values[i] = difference;
    if (Number(values[i]) !== difference || (dtype === "BOOL" && difference > 1)) return false;
  }
  return true;
}

function subtractShort(dtype: "F16" | "BF16", values: Uint16Array, base: Uint16Array): boolean {
  const decode = dtype === "F16" ? decodeF16 : decodeBf16;
  const [after, before] = [new Float32Array(values.length), new Float32Array(values.length)];
  decode(values, after);
  decode(base, before);
  // Differences of 16-bit floats are exact in float64, so that they are rounded once.
  const differences = Float64Array.from(after, (value, i) => value - (before[i] as number));
  const stored = new ArrayBuffer(2 * values.length);
  const wrong = storeFloats(dtype, differences, stored);
  values.set(new Uint16Array(stored));
  return wrong < 0;
}
