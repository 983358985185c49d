import type { FloatDtype } from "../layouts/float-dtype.ts";

/** Writes so many random elements to the beginning of a buffer, which is as long at least; gives the state for the next ones. */
export type FillValues = (buffer: ArrayBuffer, elements: number, state: number) => number;

/**
 * Random values of each type between -0.5 and 0.5: the same ones for the same state, on every machine. Those of the 16-bit types
 * are bits put together, with magnitudes from 2^-9.
 */
export const fillValues: Readonly<Record<FloatDtype, FillValues>> = {
  float32: (buffer, elements, state) => {
    const values = new Float32Array(buffer, 0, elements);
    let next = state;
    for (let i = 0; i < elements; i++) {
      next = step(next);
      // The largest states would round to 0.5 itself.
      values[i] = (next >> 7) / 2 ** 25;
    }
    return next;
  },
  bfloat16: (buffer, elements, state) => fillBits(buffer, elements, state, { firstExponent: 118, mantissaBits: 7 }),
  float16: (buffer, elements, state) => fillBits(buffer, elements, state, { firstExponent: 6, mantissaBits: 10 }),
};

/** Eight exponents beginning with the first; the smallest is 2^-9 in both formats. */
function fillBits(
  buffer: ArrayBuffer,
  elements: number,
  state: number,
  { firstExponent, mantissaBits }: { readonly firstExponent: number; readonly mantissaBits: number },
): number {
  const bits = new Uint16Array(buffer, 0, elements);
  const mask = 2 ** mantissaBits - 1;
  let next = state;
  for (let i = 0; i < elements; i++) {
    next = step(next);
    const exponent = firstExponent + ((next >>> 28) & 7);
    bits[i] = ((next >>> 31) << 15) | (exponent << mantissaBits) | ((next >>> 16) & mask);
  }
  return next;
}

/** A linear congruential generator; its low bits are poor and not used. */
function step(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
}
