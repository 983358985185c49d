import { clippedMean } from "./norm-clip.reference.js";

export interface PrivateSumInit {
  readonly clipNorm: number;
  readonly noiseMultiplier: number;
  readonly expectedContributors: number;
  /** Standard normal, one for each element. */
  readonly noise: readonly number[];
}

/** The change of DP-FedAvg with a fixed denominator, in real numbers as near as float64 has them: (Σ clipped + z C noise) / M. */
export function privateChange(vectors: readonly (readonly number[])[], init: PrivateSumInit): number[] {
  const { clipNorm, noiseMultiplier, expectedContributors, noise } = init;
  const mean = clippedMean(
    vectors,
    vectors.map(() => 1),
    clipNorm,
  );
  return mean.map((value, e) => (value * vectors.length + noiseMultiplier * clipNorm * (noise[e] ?? Number.NaN)) / expectedContributors);
}
