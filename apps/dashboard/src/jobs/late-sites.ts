import type { RoundView } from "./round-view.js";

/** A site is late once it takes so many times as long as those that have answered. */
const lateTimes = 2;

/** Shorter than this nobody is late, in milliseconds. */
const leastMs = 5000;

/**
 * The sites that a round waits for longer than it should: those that still work after its deadline, and those that take twice as long as
 * the ones that have answered did.
 */
export function lateSites(round: RoundView, nowMs: number): ReadonlySet<string> {
  const sites = [...round.sites.values()];
  const took = sites.flatMap(({ answeredMs, openedMs, state }) =>
    state === "answered" && answeredMs !== null ? [answeredMs - openedMs] : [],
  );
  const usualMs = took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)];
  const lateAfterMs =
    round.deadlineMs !== null ? 0 : usualMs === undefined ? Number.POSITIVE_INFINITY : Math.max(leastMs, lateTimes * usualMs);
  return new Set(sites.filter(({ state, openedMs }) => state === "working" && nowMs - openedMs > lateAfterMs).map(({ site }) => site));
}
