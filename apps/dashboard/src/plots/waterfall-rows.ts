import type { SitePhases } from "../jobs/phase-track.js";
import type { RoundView, SiteInRound } from "../jobs/round-view.js";

/** One bar of a site's row. `transfer`: model or update are on their way. */
export interface WaterfallBar {
  readonly kind: "waiting" | "transfer" | "working" | "answered" | "bad";
  readonly fromMs: number;
  readonly toMs: number;
  /** What the site did, and why where it waited. */
  readonly words: string;
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
  const seconds = `${((toMs - openedMs) / 1000).toFixed(1)} s`;
  const words = {
    answered: `answered after ${seconds}`,
    working: `works since ${seconds}`,
    failed: `failed after ${seconds}`,
    gone: "is disconnected",
    missing: "did not answer",
  }[state];
  const isTold = state === "answered" && site.spans.length > 0;
  return { site: site.site, bars: isTold ? toldBars(site, toMs) : seenBars(site, phases, toMs), words };
}

/**
 * As the site has told: how long each phase was and not when, as its clock may be another. The last ends with the answer; what is left before the first
 * is the way of the task to the site.
 */
function toldBars({ spans, openedMs }: SiteInRound, toMs: number): readonly WaterfallBar[] {
  const bars: WaterfallBar[] = [];
  let endMs = toMs;
  for (const { phase, reason, ms } of spans.toReversed()) {
    const fromMs = Math.max(openedMs, endMs - ms);
    const words = reason === undefined ? phase : `${phase} (${reason})`;
    if (fromMs < endMs) bars.unshift({ kind: kindOf(phase), fromMs, toMs: endMs, words });
    endMs = fromMs;
  }
  return endMs > openedMs ? [{ kind: "waiting", fromMs: openedMs, toMs: endMs, words: "delivery of the task" }, ...bars] : bars;
}

function kindOf(phase: string): WaterfallBar["kind"] {
  if (phase === "downloading" || phase === "uploading") return "transfer";
  return phase === "waiting" ? "waiting" : "answered";
}

/** As this page has seen it. */
function seenBars({ site, state, openedMs }: SiteInRound, phases: SitePhases, toMs: number): readonly WaterfallBar[] {
  const kind = state === "answered" ? "answered" : state === "working" ? "working" : "bad";
  const uploadMs = (phases.get(site) ?? []).find(
    ({ phase, fromMs }) => phase.startsWith("upload") && fromMs >= openedMs && fromMs <= toMs,
  )?.fromMs;
  if (uploadMs === undefined) return [{ kind, fromMs: openedMs, toMs, words: kind }];
  return [
    { kind, fromMs: openedMs, toMs: uploadMs, words: kind },
    { kind: kind === "bad" ? "bad" : "transfer", fromMs: uploadMs, toMs, words: "uploading" },
  ];
}
