import { blockElements } from "../session/batches.js";
import type { Scanned } from "../session/update-findings.js";

/** Largest absolute value and sum of squares of some elements, at most a block of them. */
export function scanFloats(values: Float32Array | Float64Array): Scanned {
  if (values.length > blockElements) throw new RangeError("more than a block");
  return values instanceof Float32Array ? scanFloat32(values) : scanFloat64(values);
}

function scanFloat32(values: Float32Array): Scanned {
  let maxAbs = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const magnitude = Math.abs(value);
    if (magnitude > maxAbs) maxAbs = magnitude;
    squares += value * value;
  }
  return { maxAbs, squares };
}

/** A function of its own so that each of the two loops only ever sees one kind of array. */
function scanFloat64(values: Float64Array): Scanned {
  let maxAbs = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const magnitude = Math.abs(value);
    if (magnitude > maxAbs) maxAbs = magnitude;
    squares += value * value;
  }
  return { maxAbs, squares };
}
