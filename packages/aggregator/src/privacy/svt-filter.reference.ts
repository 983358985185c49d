import { createCipheriv } from "node:crypto";

/** What both forms take. */
export interface PlainSvt {
  readonly count: number;
  readonly gamma: number;
  readonly tau: number;
  readonly threshold: number;
  readonly query: number;
  readonly release: number;
}

/** What leaves, made of the same 128 random bytes as the filter makes it of: all values in memory, all passes counted, and a sort. */
export function plainSvt(values: readonly number[], plain: PlainSvt & { readonly replace: boolean }, bytes: Uint8Array): number[] {
  const [forThreshold = new Uint8Array(), forCount = forThreshold, forQueries = forThreshold, forNoise = forThreshold] = [0, 1, 2, 3].map(
    (part) => bytes.slice(32 * part, 32 * part + 32),
  );
  const { count, gamma, tau } = plain;
  const [first = none] = drawsOf(forThreshold, 1);
  const threshold = tau + (first.rank % 2 === 0 ? 1 : -1) * (gamma / plain.threshold) * -Math.log(first.uniform);
  const hit = new Set<number>();
  // Draws of things that were hit before are those below their number.
  for (const { fraction } of drawsOf(forCount, count)) if (Math.floor(fraction * count) >= hit.size) hit.add(hit.size);
  const drawn = drawsOf(forQueries, values.length).map(({ uniform, rank }, index) => {
    const below = laplaceBelow(threshold - Math.min(gamma, Math.abs(values[index] ?? 0)), (2 * count * gamma) / plain.query);
    return { index, pass: lastOf((pass) => uniform <= below ** pass), rank };
  });
  const chosen = drawn
    .filter(({ pass }) => pass < 65_536)
    .sort((a, b) => a.pass - b.pass || a.rank - b.rank || a.index - b.index)
    .slice(0, plain.replace ? hit.size : count)
    .map(({ index }) => index)
    .sort((a, b) => a - b);
  const scale = (2 * count * gamma) / plain.release;
  let step = 2 ** -1000;
  while (step * 2 ** 24 <= scale || step * 2 ** 50 <= gamma) step *= 2;
  const most = Math.floor(gamma / step);
  const noise = drawsOf(forNoise, 2 * chosen.length).map(({ uniform }) => Math.floor(-Math.log(uniform) * (scale / step)));
  const left = values.map(() => 0);
  for (const [i, index] of chosen.entries()) {
    const steps = Math.max(-most, Math.min(most, Math.round((values[index] ?? 0) / step)));
    left[index] = (steps + (noise[2 * i] ?? 0) - (noise[2 * i + 1] ?? 0)) * step;
  }
  return left;
}

/**
 * Algorithm 7 of Lyu, Su and Li to the letter, on the magnitudes of values in an order that is drawn, over and over until it halts. Gives the
 * places of those that were not below the threshold, in ascending order.
 */
export function literalSvt(values: readonly number[], { count, gamma, tau, threshold, query }: PlainSvt, random: () => number): number[] {
  const noisy = tau + laplace(gamma / threshold, random);
  const yes: number[] = [];
  let rest = values.map((_, index) => index);
  while (yes.length < count && rest.length > 0) {
    const no: number[] = [];
    for (const index of shuffled(rest, random)) {
      if (yes.length === count) break;
      const magnitude = Math.min(gamma, Math.abs(values[index] ?? 0));
      (magnitude + laplace((2 * count * gamma) / query, random) >= noisy ? yes : no).push(index);
    }
    rest = no;
  }
  return yes.sort((a, b) => a - b);
}

/** The last pass that is still one of those below, by halves; all of them are 65,536. */
function lastOf(isBelow: (pass: number) => boolean): number {
  let [low, high] = [0, 65_537];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The probability that noise of a scale is below `x`. */
export function laplaceBelow(x: number, scale: number): number {
  return x < 0 ? Math.exp(x / scale) / 2 : 1 - Math.exp(-x / scale) / 2;
}

function laplace(scale: number, random: () => number): number {
  const magnitude = -scale * Math.log(1 - random());
  return random() < 0.5 ? magnitude : -magnitude;
}

function shuffled(of: readonly number[], random: () => number): number[] {
  return of
    .map((index) => ({ index, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ index }) => index);
}

interface Draw {
  /** Above 0 and at most 1. */
  readonly uniform: number;
  readonly fraction: number;
  readonly rank: number;
}

const none: Draw = { uniform: 1, fraction: 0, rank: 0 };

/** Each of 16 bytes of the keystream: words of 32 bits in their binary digits, one after the other. */
function drawsOf(seed: Uint8Array, count: number): Draw[] {
  const stream = createCipheriv("aes-256-ctr", seed, new Uint8Array(16)).update(new Uint8Array(16 * count));
  return Array.from({ length: count }, (_, i) => {
    const digits = [0, 4, 8, 12]
      .map((at) =>
        stream
          .readUInt32LE(16 * i + at)
          .toString(2)
          .padStart(32, "0"),
      )
      .join("");
    const zeros = digits.slice(0, 64).indexOf("1");
    const fraction = Number.parseInt(digits.slice(64, 112), 2) / 2 ** 48;
    return {
      uniform: 2 ** -(zeros === -1 ? 64 : zeros) * (1 - fraction / 2),
      fraction,
      rank: Number.parseInt(digits.slice(112), 2),
    };
  });
}
