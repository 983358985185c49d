import type { RoundTrace, TaskTrace, TraceSpan } from "@flare-ts/runtime/admin";
import { clipLine } from "../../terminal/clip-line.js";
import { plainText } from "../../terminal/plain-text.js";
import { durationText } from "../../terminal/quantities.js";
import type { Colors } from "../../terminal/terminal.js";
import { nameText } from "./name-text.js";

/** A letter for each phase in a bar. */
const letters: Readonly<Record<string, string>> = {
  delivery: ".",
  waiting: "-",
  downloading: "<",
  training: "#",
  uploading: ">",
  aggregation: "+",
};

/** What the letters of the bars mean. */
export const keyLine = `${Object.entries(letters)
  .map(([name, letter]) => `${letter} ${name}`)
  .join("   ")}   = something else   x failed`;

const barColumns = 32;
const mostSiteColumns = 24;
/** A narrower terminal breaks lines: without what follows a bar it says little. */
const leastColumns = 60;

interface Drawing {
  readonly colors: Colors;
  /** Of a terminal; lines are whole elsewhere. */
  readonly columns: number | undefined;
  /** What is still open ends there. */
  readonly nowMs: number;
}

/** A round as bars over its time: what it waited for first, then each site, those that answered first on top, and then what the server did. */
export function traceLines(round: RoundTrace, { colors, columns, nowMs }: Drawing): string[] {
  const endMs = Math.max(round.fromMs + 1, round.toMs ?? nowMs, ...round.tasks.map(({ toMs }) => toMs ?? nowMs));
  const server: readonly TraceSpan[] = [
    ...round.steps.map(({ step, fromMs, toMs }) => ({ name: step, fromMs, toMs: toMs ?? endMs })),
    ...(round.aggregation === undefined ? [] : [round.aggregation]),
  ];
  const width = Math.min(mostSiteColumns, Math.max("server".length, ...round.tasks.map(({ site }) => site.length)));
  const row = (name: string, bar: string, rest: string): string => {
    const line = `  ${nameText(name, width).padEnd(width)}  ${bar}  ${rest}`;
    return columns === undefined ? line : clipLine(line, Math.max(columns, leastColumns));
  };
  const tasks = round.tasks.toSorted(
    (a, b) => (a.toMs ?? Number.POSITIVE_INFINITY) - (b.toMs ?? Number.POSITIVE_INFINITY) || (a.site < b.site ? -1 : 1),
  );
  return [
    `${colors.bold(`round ${round.round}${round.workflow === undefined ? "" : ` of ${plainText(round.workflow)}`}`)}  ${durationText((round.toMs ?? nowMs) - round.fromMs)}${round.toMs === undefined ? " so far" : ""}${longestText(round)}`,
    ...tasks.map((task) => row(task.site, barOf(spansOf(task, nowMs), { fromMs: round.fromMs, toMs: endMs }), taskText(task, nowMs))),
    ...(server.length === 0 ? [] : [row("server", barOf(server, { fromMs: round.fromMs, toMs: endMs }), sumsText(server))]),
  ];
}

function longestText({ longest }: RoundTrace): string {
  if (longest === undefined) return "";
  const { site, phase, ms } = longest;
  return `  last: ${site}${phase === undefined ? "" : `, ${durationText(ms)} of it ${plainText(phase)}`}`;
}

/** Where a site has told nothing, the whole of its time. */
function spansOf({ spans, fromMs, toMs, outcome }: TaskTrace, nowMs: number): readonly TraceSpan[] {
  return spans.length > 0 ? spans : [{ name: outcome === "failed" ? "failed" : "task", fromMs, toMs: toMs ?? nowMs }];
}

function taskText({ outcome, spans, fromMs, toMs, error }: TaskTrace, nowMs: number): string {
  const whole = durationText((toMs ?? nowMs) - fromMs);
  if (outcome === "failed") return `${whole}  failed: ${plainText(error ?? "")}`;
  if (outcome === "missing") return `${whole}  did not answer`;
  if (outcome === "open") return `${whole} so far`;
  return `${whole}  ${sumsText(spans)}`;
}

/** How long each phase took in all, the longest first; what took no time is not named. */
function sumsText(spans: readonly TraceSpan[]): string {
  const sums = new Map<string, number>();
  for (const { name, reason, fromMs, toMs } of spans) {
    const key = reason === undefined ? name : `${name} (${reason})`;
    sums.set(key, (sums.get(key) ?? 0) + toMs - fromMs);
  }
  return [...sums]
    .filter(([, ms]) => ms >= 5)
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => `${plainText(name)} ${durationText(ms)}`)
    .join(", ");
}

/** Each character is a share of the time; of what happened in it, that which lasted longest shows. */
function barOf(spans: readonly TraceSpan[], { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  const step = (toMs - fromMs) / barColumns;
  return Array.from({ length: barColumns }, (_, column) => {
    const [beginMs, endMs] = [fromMs + column * step, fromMs + (column + 1) * step];
    let [best, bestMs] = [" ", 0];
    for (const span of spans) {
      const ms = Math.min(endMs, span.toMs) - Math.max(beginMs, span.fromMs);
      if (ms > bestMs) [best, bestMs] = [span.name === "failed" ? "x" : (letters[span.name] ?? "="), ms];
    }
    return best;
  }).join("");
}
