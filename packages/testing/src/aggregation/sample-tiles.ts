import { runElements, type Tile } from "@flare-ts/aggregator";

/** Numbers from 0 up to 1 that follow from the seed (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values as trained models have them: of both signs, each run of another magnitude. */
export function trainedTile(random: () => number, updates: number, runs: number): Tile {
  const scales = Array.from({ length: runs }, () => 10 ** (random() * 6 - 4));
  return tileOf(updates, runs, (run) => (random() * 2 - 1) * (scales[run] ?? 1));
}

/**
 * Values of all magnitudes below 2^`exponent`, at most 128: zeros of both signs, subnormal ones, powers of two, values that
 * several updates share.
 */
export function extremeTile(random: () => number, updates: number, runs: number, exponent: number): Tile {
  const shared = [0, -0, 2 ** -149, -(2 ** -149), 2 ** -126, 1, -1, Math.fround(2 ** exponent * (1 - 2 ** -24))];
  const bits = new DataView(new ArrayBuffer(4));
  return tileOf(updates, runs, () => {
    if (random() < 0.2) return shared[Math.floor(random() * shared.length)] ?? 0;
    const exponentBits = Math.floor(random() * (exponent + 127));
    const fraction = random() < 0.2 ? 0 : Math.floor(random() * 2 ** 23);
    bits.setUint32(0, ((random() < 0.5 ? 0x80000000 : 0) | (exponentBits << 23) | fraction) >>> 0);
    return bits.getFloat32(0);
  });
}

/** Factors of both signs with at most 29 significant bits, below 2. */
export function sampleFactors(random: () => number, updates: number): number[] {
  return Array.from({ length: updates }, () => {
    const digits = Math.floor(1 + random() * (2 ** 29 - 1));
    return (random() < 0.2 ? -1 : 1) * digits * 2 ** -(28 + Math.floor(random() * 4));
  });
}

/** The finest grid of each run: every |factor × value| is below 2^(51 - bits), and bits are 900 at most. */
export function gridsOf({ values }: Tile, factors: readonly number[]): Int32Array {
  const runs = (values[0]?.length ?? 0) / runElements;
  return Int32Array.from({ length: runs }, (_, run) => {
    let largest = 0;
    for (const [update, each] of values.entries()) {
      for (const value of each.subarray(run * runElements, (run + 1) * runElements)) {
        largest = Math.max(largest, Math.abs((factors[update] ?? 0) * value));
      }
    }
    let bits = 900;
    while (largest >= 2 ** (51 - bits)) bits -= 1;
    return bits;
  });
}

function tileOf(updates: number, runs: number, value: (run: number) => number): Tile {
  const values = Array.from({ length: updates }, () =>
    Float32Array.from({ length: runs * runElements }, (_, element) => value(Math.floor(element / runElements))),
  );
  return { values };
}
