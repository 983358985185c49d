/** `count` values of noise made of bytes, one draw at a time and with whole numbers for the uniform ones. */
export function plainNoise(count: number, bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let pair = 0; values.length < count; pair++) {
    let one = 0;
    let other = 0;
    for (let draw = 0; draw < 4; draw++) {
      const at = pair * 64 + draw * 16;
      // From 1 to 2^53 over 2^53, and from 0 to 2^53 - 1 over it.
      const first = Number(whole53(bytes.subarray(at, at + 8)) + 1n) / 2 ** 53;
      const second = Number(whole53(bytes.subarray(at + 8, at + 16))) / 2 ** 53;
      one += Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
      other += Math.sqrt(-2 * Math.log(first)) * Math.sin(2 * Math.PI * second);
    }
    values.push(one / 2, other / 2);
  }
  return values.slice(0, count);
}

/** The upper 27 bits of the first little-endian word of 32 bits, then the upper 26 of the second. */
function whole53(bytes: Uint8Array): bigint {
  const word = (from: number): bigint => [3, 2, 1, 0].reduce((sum, i) => sum * 256n + BigInt(bytes[from + i] ?? 0), 0n);
  return (word(0) >> 5n) * 2n ** 26n + (word(4) >> 6n);
}
