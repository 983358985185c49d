import type { Json } from "@flare-ts/contracts";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { clipLine } from "../../terminal/clip-line.js";
import { plainText, withoutStyle } from "../../terminal/plain-text.js";
import { barText } from "../../terminal/progress-bar.js";
import { bytesText, durationText, metricText } from "../../terminal/quantities.js";
import type { Colors } from "../../terminal/terminal.js";
import type { JobReport, RoundReport } from "./round-report.js";

/** Lines for a closed round: the federation first, then each site. Stable, for scripts too. */
export function closedRoundLines(round: RoundReport, colors: Colors): string[] {
  const { closed } = round;
  if (closed === undefined) return [];
  const missing = closed.missing.length === 0 ? "" : colors.yellow(`  missing: ${closed.missing.join(", ")}`);
  const width = Math.max(0, ...round.contributions.map(({ site }) => site.length));
  return [
    [
      colors.bold(`round ${round.round}`),
      metricsText(closed.metrics),
      `updates ${round.contributions.length}/${round.sites.length}`,
      bytesText(closed.bytes),
      durationText(closed.seconds * 1000),
    ]
      .filter((part) => part !== "")
      .join("  ") + missing,
    ...round.contributions
      .toSorted((a, b) => (a.site < b.site ? -1 : 1))
      .map((one) => {
        const parts = [
          one.site.padEnd(width),
          metricsText(one.metrics),
          `weight ${one.weight}`,
          bytesText(one.bytes),
          durationText(one.seconds * 1000),
          one.wire === undefined ? "" : `as ${one.wire.form}, error ${one.wire.relativeError.toExponential(1)}`,
        ];
        return `  ${parts.filter((part) => part !== "").join("  ")}`;
      }),
    ...round.failures.map(({ site, message }) => colors.red(`  ${site} failed: ${plainText(message)}`)),
  ];
}

/** Lines of the round that is under way, to be drawn over and over; without the bar, or in two lines, where they would not fit otherwise. */
export function openRoundLines(
  report: JobReport,
  nowMs: number,
  { colors, columns }: { readonly colors: Colors; readonly columns: number },
): string[] {
  const round = report.rounds.at(-1);
  if (round === undefined || round.closed !== undefined) return [];
  const here = new Set(round.contributions.map(({ site }) => site));
  const waiting = round.sites.filter((site) => !here.has(site));
  const who = waiting.map((site) => (report.disconnected.includes(site) ? colors.yellow(`${site} (disconnected)`) : site)).join(", ");
  const bar = colors.cyan(barText(here.size, round.sites.length));
  const name = `round ${round.round} (${report.rounds.length} of ${round.totalRounds})`;
  const figures = `${here.size}/${round.sites.length}  ${durationText(Math.max(0, nowMs - round.openedMs))}`;
  const what = who === "" ? "aggregating" : `waiting for ${who}`;
  const inOneLine = [
    [name, bar, figures, what],
    [name, figures, what],
  ].map((parts) => parts.join("  "));
  const fitting = inOneLine.find((line) => withoutStyle(line).length <= columns);
  return fitting === undefined ? [`${name}  ${figures}`, `  ${what}`] : [fitting];
}

/** A line for an event that is not part of a round's figures, or `undefined` when there is nothing to tell. */
export function eventLine({ event }: JournalEntry, colors: Colors): string | undefined {
  switch (event.type) {
    case "job-submitted":
      return `job ${plainText(event.name)} submitted by ${event.submitter}`;
    case "job-started":
      return `job started at ${event.sites.join(", ")}`;
    case "site-connected":
      return `${event.site} is connected`;
    case "site-disconnected":
      return colors.yellow(`${event.site} is disconnected: ${plainText(event.reason)}`);
    case "site-left":
      return colors.yellow(`${event.site} has left the job: ${plainText(event.error.message)}`);
    case "deadline-passed": {
      const late = (event.late ?? []).map(({ site, why }) => `${site} (${plainText(why)})`).join(", ");
      return colors.yellow(`round ${event.round} passed its deadline${late === "" ? "" : `; late: ${late}`}`);
    }
    case "process-restarted":
      return colors.yellow(`job process at ${event.where} started again: ${plainText(event.reason)}`);
    case "best-model":
      return `round ${event.round} has the best model so far: ${nameText(event.metric)} ${metricText(event.value)}`;
    case "workflow-ended":
      return `workflow ended: ${plainText(event.reason)}`;
    case "job-ended":
    case "round-opened":
    case "round-closed":
    case "round-receipt":
    case "update-accepted":
    case "task-failed":
      break;
  }
  return undefined;
}

/** A round as it stands in the JSON envelope. */
export function roundData(round: RoundReport): Json {
  return {
    round: round.round,
    metrics: round.closed?.metrics ?? {},
    bytes: round.closed?.bytes ?? 0,
    seconds: round.closed?.seconds ?? null,
    missing: round.closed?.missing ?? [],
    model: round.closed?.modelHash ?? null,
    sites: round.contributions.map(({ site, metrics, weight, bytes, sentBytes, seconds, wire }) => ({
      site,
      metrics,
      weight,
      bytes,
      sentBytes: sentBytes ?? null,
      seconds,
      ...(wire === undefined ? {} : { wire: { form: wire.form, relative_error: wire.relativeError } }),
    })),
    failures: round.failures.map(({ site, message }) => ({ site, message })),
  };
}

function metricsText(metrics: Readonly<Record<string, number>>): string {
  const named = Object.entries(metrics).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const shown = named.slice(0, mostMetrics).map(([name, value]) => `${nameText(name)} ${metricText(value)}`);
  return [...shown, ...(named.length > mostMetrics ? [`and ${named.length - mostMetrics} more metrics`] : [])].join("  ");
}

/** Of a longer name the beginning is shown, and of many metrics the first; `--format json` has all of them. */
const mostNameColumns = 40;
const mostMetrics = 12;

function nameText(name: string): string {
  return clipLine(plainText(name), mostNameColumns);
}
