/** How long a site took for its answers in the rounds that it was asked in. */
export interface SiteTimes {
  /** Milliseconds from the opening of a round to the answer, of its last answers; the newest is the last. */
  readonly recentMs: readonly number[];
  /** Rounds in a row that it was asked in and that closed without it. */
  readonly missedRounds: number;
}

/** What was measured, by site. */
export type AnswerTimes = ReadonlyMap<string, SiteTimes>;

/** Answers that are remembered of each site. */
const remembered = 5;

/** A site gets this long even where everything is quick: nobody is late by a hiccup. */
const leastMs = 10_000;

/** A site that missed a round gets twice the time in the next one, so that one which has become slow is found again; so often. */
const doublings = 2;

/** A site has answered. A time below zero is that of a clock which was set back. */
export function withAnswer(times: AnswerTimes, site: string, tookMs: number): AnswerTimes {
  const recentMs = [...(times.get(site)?.recentMs ?? []), Math.max(0, tookMs)].slice(-remembered);
  return new Map(times).set(site, { recentMs, missedRounds: 0 });
}

/** A round has closed without these sites. */
export function withMissed(times: AnswerTimes, sites: readonly string[]): AnswerTimes {
  if (sites.length === 0) return times;
  const next = new Map(times);
  for (const site of sites) {
    const { recentMs = [], missedRounds = 0 } = times.get(site) ?? {};
    next.set(site, { recentMs, missedRounds: missedRounds + 1 });
  }
  return next;
}

/**
 * How long after a round's opening a site is waited for, by what is known of it; `undefined` while nothing is.
 *
 * - A site that answered when it was last asked gets twice the longest of its last answers.
 * - Once there is a quorum, every site gets twice as long as the quorum took, if that is more.
 * - In the two rounds after one that it missed, a site gets twice and four times that, and at least what it once needed itself.
 *   Beyond that nobody waits longer for it than for the others.
 *
 * @param quorumMs milliseconds from the opening to the quorum; `undefined` before it
 */
export function allowanceOf(times: SiteTimes | undefined, quorumMs: number | undefined): number | undefined {
  const { recentMs = [], missedRounds = 0 } = times ?? {};
  const own = recentMs.length === 0 ? undefined : twice(Math.max(...recentMs));
  const others = quorumMs === undefined ? undefined : twice(quorumMs);
  if (own !== undefined && missedRounds === 0) return Math.max(own, others ?? 0);
  if (others === undefined || missedRounds > doublings) return others;
  return Math.max(others * 2 ** missedRounds, own ?? 0);
}

function twice(ms: number): number {
  return Math.max(2 * ms, ms + leastMs);
}
