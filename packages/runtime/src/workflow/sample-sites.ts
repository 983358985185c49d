/** What decides a draw, besides the sites. */
export interface SampleInit {
  /** Any integer. */
  readonly seed: number;
  readonly round: number;
  /** Sites to draw; all are taken where there are no more. */
  readonly size: number;
}

/**
 * Draws the sites of a round, and draws the same ones each time that it is asked: a Fisher-Yates shuffle of the sorted
 * names, driven by SplitMix64 (Steele, Lea and Flood, 2014) seeded with `seed` and `round`.
 *
 * @returns the drawn names, sorted by code unit.
 */
export function sampleSites(sites: readonly string[], init: SampleInit): readonly string[] {
  if (init.size >= sites.length) return [...sites].sort();
  return draw(sites, init).sort();
}

/** Puts the sites of a round into an order, and into the same one each time that it is asked: the same shuffle. */
export function shuffleSites(sites: readonly string[], init: Omit<SampleInit, "size">): readonly string[] {
  return draw(sites, { ...init, size: sites.length });
}

function draw(sites: readonly string[], init: SampleInit): string[] {
  const names = [...sites].sort();
  const next = splitMix64(mix(BigInt.asUintN(64, BigInt(init.seed))) ^ BigInt.asUintN(64, BigInt(init.round)));
  for (let i = 0; i < init.size; i++) {
    const j = i + below(names.length - i, next);
    [names[i], names[j]] = [names[j] as string, names[i] as string];
  }
  return names.slice(0, init.size);
}

const gamma = 0x9e3779b97f4a7c15n;
const range = 1n << 64n;

function splitMix64(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = BigInt.asUintN(64, state + gamma);
    return mix(state);
  };
}

function mix(value: bigint): bigint {
  let z = value;
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

/** A number below `bound`, each as likely as the others: draws beyond the last whole multiple of the bound are thrown away. */
function below(bound: number, next: () => bigint): number {
  const limit = range - (range % BigInt(bound));
  let value = next();
  while (value >= limit) value = next();
  return Number(value % BigInt(bound));
}
