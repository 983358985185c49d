import type { ReferenceUpdate } from "./carry-out.reference.js";

/** A source of numbers from 0 to 1 that is the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that are the same for the same seed; for tests only. */
export function seededBytes(seed: number): (count: number) => Uint8Array {
  const next = seeded(seed);
  return (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256));
}

/** Float32 values around 0 of different sizes. */
export function sampleValues(next: () => number, count: number): number[] {
  return Array.from({ length: count }, () => Math.fround((next() - 0.5) * 10 ** (next() * 4 - 2)));
}

/** Updates of contributors `site-00`, `site-01` … for tensors of the given sizes. */
export function sampleUpdates(next: () => number, contributors: number, sizes: Readonly<Record<string, number>>): ReferenceUpdate[] {
  return Array.from({ length: contributors }, (_, i) => ({
    contributor: `site-${String(i).padStart(2, "0")}`,
    weight: 1 + Math.floor(next() * 1000),
    staleness: Math.floor(next() * 5),
    tensors: Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, sampleValues(next, size)])),
  }));
}
