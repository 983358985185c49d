/** Decodes IEEE 754 binary16 bits into float32, exactly. */
export function decodeF16(bits: Uint16Array, into: Float32Array): void {
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i] as number;
    const magnitude = h & 0x7fff;
    if (magnitude >= 0x7c00) word[0] = 0x7f800000 | ((magnitude & 0x3ff) << 13);
    else if (magnitude >= 0x400) word[0] = (magnitude << 13) + 0x38000000;
    else float[0] = magnitude * 2 ** -24;
    into[i] = (h & 0x8000) === 0 ? (float[0] as number) : -(float[0] as number);
  }
}

/** Decodes bfloat16 bits into float32, exactly. */
export function decodeBf16(bits: Uint16Array, into: Float32Array): void {
  const words = new Uint32Array(into.buffer, into.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] as number) << 16;
}

/** Rounds float64 values to binary16 bits, to nearest, ties to even, in one rounding. */
export function encodeF16(values: Float64Array, into: Uint16Array): void {
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  for (let i = 0; i < values.length; i++) {
    const bits = oddFloat32Bits(values[i] as number, float, word);
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) into[i] = sign | 0x7e00;
    else if (magnitude >= 0x477ff000) into[i] = sign | 0x7c00;
    else if (magnitude >= 0x38800000) into[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    else into[i] = sign | subnormalF16(magnitude);
  }
}

/** Rounds float64 values to bfloat16 bits, to nearest, ties to even, in one rounding. */
export function encodeBf16(values: Float64Array, into: Uint16Array): void {
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  for (let i = 0; i < values.length; i++) {
    const bits = oddFloat32Bits(values[i] as number, float, word);
    if ((bits & 0x7fffffff) > 0x7f800000) into[i] = (bits >>> 16) | 0x40;
    else into[i] = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

/**
 * Rounds float32 values to bits of a type of 16 bits, to nearest, ties to even; faster than by way of float64. Gives the index of a
 * value that the type cannot hold, or -1.
 */
export function shortenFloats(dtype: "F16" | "BF16", values: Float32Array, into: Uint16Array): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (dtype === "BF16") {
    for (let i = 0; i < words.length; i++) {
      const bits = words[i] as number;
      if ((bits & 0x7fffffff) >= 0x7f7f8000) return i;
      into[i] = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    }
    return -1;
  }
  for (let i = 0; i < words.length; i++) {
    const bits = words[i] as number;
    const magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x477ff000) return i;
    const short = magnitude >= 0x38800000 ? (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13 : subnormalF16(magnitude);
    into[i] = ((bits >>> 16) & 0x8000) | short;
  }
  return -1;
}

/**
 * The float32 below the value in magnitude, its last bit set when anything was cut off. Rounding that to the short formats
 * is the same as rounding the float64 (S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008);
 * going through the nearest float32 instead would round twice.
 */
function oddFloat32Bits(value: number, float: Float32Array, word: Uint32Array): number {
  float[0] = value;
  const nearest = float[0];
  let bits = word[0] as number;
  if (nearest === value || value !== value || Math.abs(value) === Infinity) return bits;
  if (Math.abs(nearest) > Math.abs(value)) bits -= 1;
  return bits | 1;
}

function subnormalF16(magnitude: number): number {
  const exponent = magnitude >>> 23;
  // Below half of the smallest subnormal everything rounds to zero, and the shift would be beyond 31.
  if (exponent < 102) return 0;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
