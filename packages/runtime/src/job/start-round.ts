/** Key of a task's metadata; FLARE's name. */
const startRoundKey = "start_round";

/** What a task says of the number of its workflow's first round: nothing where that is 0. */
export function startRoundMeta(startRound: number): Readonly<Record<string, number>> {
  return startRound === 0 ? {} : { [startRoundKey]: startRound };
}

/** The number of the first round, as the task's metadata has it. */
export function startRoundOf(meta: Readonly<Record<string, unknown>>): number {
  const startRound = meta[startRoundKey];
  return typeof startRound === "number" && Number.isSafeInteger(startRound) && startRound > 0 ? startRound : 0;
}
