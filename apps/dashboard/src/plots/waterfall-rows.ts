import type { SitePhases } from "../jobs/phase-track.js";
import type { RoundView, SiteInRound } from "../jobs/round-view.js";

/** One bar of a site's row. */
export interface WaterfallBar {
  readonly kind: "working" | "uploading" | "answered" | "bad";
  readonly fromMs: number;
  readonly toMs: number;
}

/** A site's row, and what it says in words. */
export interface WaterfallRow {
  readonly site: string;
  readonly bars: readonly WaterfallBar[];
  readonly words: string;
}

/** The rows of a round, or of several in a row one after the other; of each, those that answered first on top. And where their time ends. */
export function waterfallRows(
  rounds: readonly RoundView[],
  phases: SitePhases,
  nowMs: number,
): { readonly rows: readonly WaterfallRow[]; readonly endMs: number } {
  const ends = rounds.map((round) => endOf(round, nowMs));
  const rows = rounds.flatMap((round, index) => {
    const sites = [...round.sites.values()].sort(
      (a, b) => (a.answeredMs ?? Number.POSITIVE_INFINITY) - (b.answeredMs ?? Number.POSITIVE_INFINITY) || (a.site < b.site ? -1 : 1),
    );
    return sites.map((site) => rowOf(site, phases, ends[index] ?? nowMs));
  });
  return { rows, endMs: Math.max(...ends) };
}

function endOf({ sites, openedMs, deadlineMs, closedMs, buffered }: RoundView, nowMs: number): number {
  // The clock here may be behind that of the server, whose times the others are.
  const lastMs = Math.max(openedMs, deadlineMs ?? 0, ...[...sites.values()].map(({ answeredMs }) => answeredMs ?? 0));
  if (buffered !== null && closedMs !== null)
    return [...sites.values()].some(({ state }) => state === "working" || state === "gone")
      ? Math.max(nowMs, lastMs)
      : Math.max(closedMs, lastMs);
  return closedMs ?? Math.max(nowMs, lastMs);
}

function rowOf(site: SiteInRound, phases: SitePhases, roundEndMs: number): WaterfallRow {
  const { state, openedMs } = site;
  const toMs = site.answeredMs ?? roundEndMs;
  const last = state === "answered" ? "answered" : state === "working" ? "working" : "bad";
  const uploadMs = (phases.get(site.site) ?? []).find(
    ({ phase, fromMs }) => phase.startsWith("upload") && fromMs >= openedMs && fromMs <= toMs,
  )?.fromMs;
  const bars: WaterfallBar[] =
    uploadMs === undefined
      ? [{ kind: last, fromMs: openedMs, toMs }]
      : [
          { kind: last, fromMs: openedMs, toMs: uploadMs },
          { kind: last === "bad" ? "bad" : "uploading", fromMs: uploadMs, toMs },
        ];
  const seconds = `${((toMs - openedMs) / 1000).toFixed(1)} s`;
  const words = {
    answered: `answered after ${seconds}`,
    working: `works since ${seconds}`,
    failed: `failed after ${seconds}`,
    gone: "is disconnected",
    missing: "did not answer",
  }[state];
  return { site: site.site, bars, words };
}
