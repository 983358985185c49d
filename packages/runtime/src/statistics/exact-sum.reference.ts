/** A sum of whole numbers of the least unit that there is, 2^-1074, rounded at its end: slow and obvious. */
export function exactSumReference(values: readonly number[]): number {
  const units = values.reduce((sum, value) => sum + unitsOf(value), 0n);
  const size = units < 0n ? -units : units;
  // What is beyond 53 bits is rounded here, half to even, as division of whole numbers by a power of two may not round twice.
  const shift = Math.max(0, size.toString(2).length - 53);
  const half = shift === 0 ? 0n : 1n << BigInt(shift - 1);
  const below = size & ((1n << BigInt(shift)) - 1n);
  const kept = size >> BigInt(shift);
  const rounded = below > half || (below === half && below !== 0n && kept % 2n === 1n) ? kept + 1n : kept;
  const value = scaled(Number(rounded), shift - 1074);
  return units < 0n ? -value : value;
}

function unitsOf(value: number): bigint {
  const bits = new BigUint64Array(new Float64Array([value]).buffer)[0] ?? 0n;
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const size = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
  return bits >> 63n === 1n ? -size : size;
}

/** By powers of two that are numbers themselves. */
function scaled(value: number, exponent: number): number {
  let [scaling, left] = [value, exponent];
  for (; left < -1000; left += 1000) scaling *= 2 ** -1000;
  return scaling * 2 ** left;
}
