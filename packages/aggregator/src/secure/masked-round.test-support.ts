import { createHash } from "node:crypto";
import type { Mask } from "./mask.js";

/** The masks of a round in which so many sites were asked: a self mask for each, and one for each pair. */
export class RoundMasks {
  readonly #asked: readonly number[];
  readonly #round: string;

  /** @param round - the same masks follow from the same name */
  constructor(asked: number, round = "round") {
    this.#asked = Array.from({ length: asked }, (_, i) => i);
    this.#round = round;
  }

  /** What a site adds to its update. */
  of(site: number): readonly Mask[] {
    return [this.self(site), ...this.#asked.filter((other) => other !== site).map((other) => this.pair(site, other))];
  }

  /** What is left in the sum of these sites: pairs among them cancel. */
  left(sites: readonly number[]): readonly Mask[] {
    const gone = this.#asked.filter((other) => !sites.includes(other));
    return [...sites.map((site) => this.self(site)), ...sites.flatMap((site) => gone.map((other) => this.pair(site, other)))];
  }

  self(site: number): Mask {
    return { seed: this.#seed(`self ${site}`), sign: 1 };
  }

  /** As the first of the two adds it. */
  pair(site: number, other: number): Mask {
    return { seed: this.#seed(`pair ${Math.min(site, other)} ${Math.max(site, other)}`), sign: site < other ? 1 : -1 };
  }

  #seed(name: string): Uint8Array {
    return createHash("sha256").update(`${this.#round} ${name}`).digest();
  }
}

/** How far bytes are from uniform: the statistic of Pearson's test with 255 degrees of freedom, which has 255 ± 22.6 for uniform ones. */
export function chiSquare(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  const expected = bytes.byteLength / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
