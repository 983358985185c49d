import { FlareError } from "@flare-ts/contracts/errors";
import { exponentAbove } from "../exact/weight.js";

/** Gives fresh random bytes, which the next call may write over; for privacy they have to be cryptographic, such as those of `randomBytes` of `node:crypto`. */
export type RandomBytes = (count: number) => Uint8Array;

/** Draws that are added up for one value. */
const drawsPerValue = 4;
/** Each draw makes two values of two uniform numbers of 8 bytes. */
const bytesPerPair = drawsPerValue * 2 * 8;
const pairsPerCall = 1024;

/**
 * Fills an array with independent Gaussian noise of mean 0 and standard deviation 1, from 32 bytes for each value.
 *
 * Each value is half the sum of four values of the Box-Muller transform, on uniform numbers of 53 bits. A single one can only
 * take some of the floats near it, and which ones says something about the numbers it was made from; of a sum of four they
 * can no longer be told. The two values that one transform gives go to different elements, as their sum would again be the
 * transform of two numbers.
 *
 * @throws `internal/bug` when the source gives another number of bytes
 * @see Box, Muller, "A Note on the Generation of Random Normal Deviates", Annals of Mathematical Statistics 29, 1958
 * @see Holohan, Braghin, "Secure Random Sampling in Differential Privacy", ESORICS 2021
 */
export function gaussianNoise(into: Float64Array, randomBytes: RandomBytes): void {
  const pairs = Math.ceil(into.length / 2);
  for (let first = 0; first < pairs; first += pairsPerCall) {
    const count = Math.min(pairsPerCall, pairs - first);
    const bytes = randomBytes(count * bytesPerPair);
    if (bytes.length !== count * bytesPerPair) {
      throw new FlareError("internal/bug", `The source of random bytes gave ${bytes.length} of ${count * bytesPerPair}.`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let pair = 0; pair < count; pair++) {
      let one = 0;
      let other = 0;
      for (let draw = 0; draw < drawsPerValue; draw++) {
        const at = pair * bytesPerPair + draw * 16;
        // Above 0, so that the logarithm is finite.
        const radius = Math.sqrt(-2 * Math.log(uniform(view, at) + 2 ** -53));
        const angle = 2 * Math.PI * uniform(view, at + 8);
        one += radius * Math.cos(angle);
        other += radius * Math.sin(angle);
      }
      // A write beyond the end, for an odd length, goes nowhere.
      into[2 * (first + pair)] = one / 2;
      into[2 * (first + pair) + 1] = other / 2;
    }
  }
}

/** Steps of the grid in the noise's standard deviation, as a power of two. */
const gridBits = 30;

/** Distance between the values that are left by `addGaussianNoise`. */
export function noiseGridStep(deviation: number): number {
  return 2 ** (exponentAbove(deviation) - 1 - gridBits);
}

/**
 * Adds independent Gaussian noise of mean 0 to each value. Values and noise are rounded to one grid first, a power of two of at most
 * 2^-30 standard deviations that depends on nothing else, and added without another rounding: the last bits say nothing of the parts.
 *
 * @see Mironov, "On Significance of the Least Significant Bits for Differential Privacy", CCS 2012
 */
export function addGaussianNoise(
  values: Float64Array,
  { deviation, randomBytes }: { readonly deviation: number; readonly randomBytes: RandomBytes },
): void {
  const gridStep = noiseGridStep(deviation);
  const some = new Float64Array(Math.min(values.length, 2 * pairsPerCall));
  for (let first = 0; first < values.length; first += some.length) {
    const noise = some.subarray(0, Math.min(some.length, values.length - first));
    gaussianNoise(noise, randomBytes);
    for (let i = 0; i < noise.length; i++) {
      const steps = Math.round((values[first + i] as number) / gridStep) + Math.round(((noise[i] as number) * deviation) / gridStep);
      values[first + i] = steps * gridStep;
    }
  }
}

/** A multiple of 2^-53 of at least 0 and below 1: 27 bits of one word and 26 of the next. */
function uniform(view: DataView, at: number): number {
  return ((view.getUint32(at, true) >>> 5) * 2 ** 26 + (view.getUint32(at + 4, true) >>> 6)) * 2 ** -53;
}
