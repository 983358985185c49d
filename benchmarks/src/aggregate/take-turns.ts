import type { Contestant } from "./contestant.ts";

export interface TurnsInit {
  readonly runs: number;
  readonly signal: AbortSignal;
  /** Told before each round; round 0 warms up. */
  readonly onRound: (round: number) => void;
}

/**
 * Measures contestants in turns: each runs once in every round, so that what is compared stands in the same minute however the
 * machine changes. A round before the first warms up and does not count. Gives the samples by the figures' ids.
 *
 * @throws the signal's reason
 */
export async function takeTurns(
  contestants: readonly Contestant[],
  { runs, signal, onRound }: TurnsInit,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const samples = new Map<string, number[]>();
  for (let round = 0; round <= runs; round++) {
    onRound(round);
    for (const contestant of contestants) {
      signal.throwIfAborted();
      const times = await contestant.run();
      if (round === 0) continue;
      for (const [i, { id }] of contestant.figures.entries()) samples.set(id, [...(samples.get(id) ?? []), times[i] ?? Number.NaN]);
    }
  }
  return samples;
}

/** Merges groups so that the members of each stand at even distances: one of each, then the next of each, as far as they go. */
export function spread<Value>(groups: readonly (readonly Value[])[]): readonly Value[] {
  return groups
    .flatMap((group) => group.map((value, i) => ({ value, place: (i + 0.5) / group.length })))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
