/** Rounds as a workflow counts them for itself: FLARE's names and meanings. */
export interface OwnRound {
  readonly current: number;
  /** Number of the first round. */
  readonly start: number;
  readonly total: number;
}

/** Keys of a task's metadata; FLARE's names. */
const keys = { current: "current_round", start: "start_round", total: "total_rounds" } as const;

/**
 * What a task says of the workflow's own count: nothing where it is that of the job, whose rounds are numbered over all of its workflows.
 *
 * @param task - the number of the round and of all rounds as they stand in the journal
 */
export function roundNumbersMeta(
  own: OwnRound,
  task: { readonly round: number; readonly totalRounds: number },
): Readonly<Record<string, number>> {
  return {
    ...(own.current === task.round ? {} : { [keys.current]: own.current }),
    ...(own.start === 0 ? {} : { [keys.start]: own.start }),
    ...(own.total === task.totalRounds ? {} : { [keys.total]: own.total }),
  };
}

/** The workflow's own count, for trainers. */
export function ownRoundOf(
  meta: Readonly<Record<string, unknown>>,
  task: { readonly round: number; readonly totalRounds: number },
): OwnRound {
  return {
    current: count(meta[keys.current]) ?? task.round,
    start: count(meta[keys.start]) ?? 0,
    total: count(meta[keys.total]) ?? task.totalRounds,
  };
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
