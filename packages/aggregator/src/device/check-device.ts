import { foldFloat32, type LimbSums } from "../exact/limb-sums.js";
import { type CombineDevice, runElements } from "./combine-device.js";

/** Two runs: one of everyday values, one of tiny ones that are mostly subnormal. */
const grids = Int32Array.of(0, 149);
const lowestExponents = [110, 0] as const;
const factors = [1, -(2 ** 29 - 1) * 2 ** -30, 0.625, 2 ** -7] as const;

/**
 * Has a device compute what must come out to the bit, exact sums and medians, and compares it with the CPU: compilers of
 * drivers have faults, and a wrong model is worse than none.
 *
 * @returns what is wrong, in words; `undefined` when nothing is
 * @throws what the device throws
 */
export async function faultOfDevice(device: CombineDevice): Promise<string | undefined> {
  const values = factors.map((_, update) => sampleOf(update));
  const sums = await device.exactSum({ values }, factors, grids);
  const medians = await device.median({ values });
  for (let at = 0; at < 2 * runElements; at++) {
    const sum = exactSumAt(values, at);
    if (sums[at] !== sum) return `an exact sum came out as ${sums[at]} instead of ${sum}`;
    const median = medianAt(values, at);
    if (medians[at] !== median) return `a median came out as ${medians[at]} instead of ${median}`;
  }
  return undefined;
}

function sampleOf(update: number): Float32Array {
  const bits = Uint32Array.from({ length: 2 * runElements }, (_, at) => {
    const mixed = Math.imul(at + 1, 0x9e3779b1) ^ Math.imul(update + 1, 0x85ebca6b);
    const exponent = (lowestExponents[at < runElements ? 0 : 1] as number) + ((mixed >>> 9) % 28);
    return ((mixed & 0x807fffff) | (exponent << 23)) >>> 0;
  });
  return new Float32Array(bits.buffer);
}

function exactSumAt(values: readonly Float32Array[], at: number): bigint {
  const gridBits = grids[at < runElements ? 0 : 1] as number;
  const sums: LimbSums = { high: new Float64Array(1), low: new Float64Array(1) };
  for (const [update, each] of values.entries()) foldFloat32(sums, 0, each.subarray(at, at + 1), factors[update] as number, gridBits);
  return BigInt((sums.high[0] as number) * 2 ** gridBits) + BigInt((sums.low[0] as number) * 2 ** gridBits);
}

function medianAt(values: readonly Float32Array[], at: number): number {
  const [, lower = 0, upper = 0] = values.map((each) => each[at] as number).sort((a, b) => a - b);
  return Math.fround((lower + upper) / 2);
}
