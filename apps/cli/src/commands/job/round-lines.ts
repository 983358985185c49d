import type { Json } from "@flare-ts/contracts";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { plainText, withoutStyle } from "../../terminal/plain-text.js";
import { barText } from "../../terminal/progress-bar.js";
import { bytesText, durationText, metricText } from "../../terminal/quantities.js";
import type { Colors } from "../../terminal/terminal.js";
import type { BufferedReport } from "./buffered-report.js";
import { nameText } from "./name-text.js";
import type { JobReport, RoundReport, StepReport } from "./round-report.js";

/** Lines for a closed round: the federation first, then each site. Stable, for scripts too. */
export function closedRoundLines(round: RoundReport, colors: Colors): string[] {
  const { closed, evaluates, asks } = round;
  if (closed === undefined) return [];
  const isAnswered = evaluates !== undefined || asks !== undefined;
  const missing = closed.missing.length === 0 ? "" : colors.yellow(`  missing: ${closed.missing.join(", ")}`);
  const width = Math.max(0, ...round.contributions.map(({ site }) => site.length));
  return [
    [
      colors.bold(`round ${round.round}${round.workflow === undefined ? "" : ` (${placeText(round)})`}`),
      subjectText(round),
      metricsText(closed.metrics),
      `${isAnswered ? "answers" : closed.isSubmission ? "models" : "updates"} ${round.isBuffered ? round.contributions.length : `${closed.contributors.length}/${round.sites.length}`}`,
      evaluates !== undefined ? "" : bytesText(closed.bytes),
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
          ...(isAnswered ? [] : [round.isMasked ? "masked" : `weight ${one.weight}`]),
          ...(evaluates === undefined ? [bytesText(one.bytes)] : []),
          durationText(one.seconds * 1000),
          one.base === undefined ? "" : fromText(round.round - one.base),
          one.wire === undefined ? "" : `as ${one.wire.form}, error ${one.wire.relativeError.toExponential(1)}`,
        ];
        return `  ${parts.filter((part) => part !== "").join("  ")}`;
      }),
    ...(round.isMasked && closed.contributors.length === 0
      ? [colors.yellow("  lost: a site of the sum did not take its masks back in time; the model stays as it was")]
      : []),
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
  if (report.step?.step === "keys") return [keysLine(report, report.step, nowMs)];
  if (round === undefined || round.closed !== undefined) return [];
  const name = nameOfOpen(round);
  if (report.step?.round === round.round) return [`${name}  ${stepText(report, report.step, nowMs)}`];
  if (report.buffered !== undefined) return fitted(name, bufferedParts(report, report.buffered, { nowMs, round, colors }), columns);
  const here = new Set(round.contributions.map(({ site }) => site));
  const failed = new Set(round.failures.map(({ site }) => site));
  const waiting = round.sites.filter((site) => !here.has(site) && !failed.has(site));
  const who = waiting.map((site) => (report.disconnected.includes(site) ? colors.yellow(`${site} (disconnected)`) : site)).join(", ");
  const bar = colors.cyan(barText(here.size, round.sites.length));
  const figures = `${here.size}/${round.sites.length}  ${durationText(Math.max(0, nowMs - round.openedMs))}`;
  const what = who === "" ? (round.evaluates === undefined && round.asks === undefined ? "aggregating" : "closing") : `waiting for ${who}`;
  return fitted(name, { bar, figures, what }, columns);
}

interface OpenParts {
  readonly bar: string;
  readonly figures: string;
  readonly what: string;
}

/** In one line; without the bar, or in two lines, where they would not fit otherwise. */
function fitted(name: string, { bar, figures, what }: OpenParts, columns: number): string[] {
  const inOneLine = [
    [name, bar, figures, what],
    [name, figures, what],
  ].map((parts) => parts.join("  "));
  const fitting = inOneLine.find((line) => withoutStyle(line).length <= columns);
  return fitting === undefined ? [`${name}  ${figures}`, `  ${what}`] : [fitting];
}

function nameOfOpen(round: RoundReport): string {
  const subject = subjectText(round);
  return `round ${round.round} (${placeText(round)})${subject === "" ? "" : `  ${subject}`}`;
}

/** How full the buffer is, and who is at work on which model. */
function bufferedParts(
  { disconnected }: JobReport,
  { updates, buffer, atWork }: BufferedReport,
  { nowMs, round, colors }: { readonly nowMs: number; readonly round: RoundReport; readonly colors: Colors },
): OpenParts {
  const filled = Math.min(buffer.length, updates);
  const who = atWork.map((task) => {
    const age = round.round - task.round;
    const text = `${task.site}${age === 0 ? "" : ` (${age} behind)`}`;
    return disconnected.includes(task.site) ? colors.yellow(`${text} (disconnected)`) : text;
  });
  return {
    bar: colors.cyan(barText(filled, updates)),
    figures: `${filled}/${updates}  ${durationText(Math.max(0, nowMs - round.openedMs))}`,
    what: filled === updates || who.length === 0 ? "aggregating" : `at work: ${who.join(", ")}`,
  };
}

/** How old the model was that an update was made from. */
function fromText(staleness: number): string {
  return staleness === 0 ? "from the newest model" : `from ${staleness} ${staleness === 1 ? "model" : "models"} ago`;
}

/**
 * A line for an event that is not part of a round's figures, or `undefined` when there is nothing to tell.
 *
 * @param report - what is known of the job, the event included
 */
export function eventLine({ event }: JournalEntry, { rounds }: Pick<JobReport, "rounds">, colors: Colors): string | undefined {
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
    case "step-opened":
      return event.step === "mask"
        ? colors.yellow(`round ${event.round}: ${event.sites.join(", ")} mask their updates anew, as a site of the sum did not answer`)
        : undefined;
    case "deadline-passed": {
      const late = (event.late ?? []).map(({ site, why }) => `${site} (${plainText(why)})`).join(", ");
      const of = event.task === undefined ? "" : ` for ${nameText(event.task)}`;
      return colors.yellow(`round ${event.round} passed its deadline${of}${late === "" ? "" : `; late: ${late}`}`);
    }
    case "process-restarted":
      return colors.yellow(`job process at ${event.where} started again: ${plainText(event.reason)}`);
    case "best-model":
      return `round ${event.round} has the best model so far: ${nameText(event.metric)} ${metricText(event.value)}`;
    case "workflow-ended": {
      // Each workflow has at least one round.
      const workflow = rounds.at(-1)?.workflow;
      return `workflow ${workflow === undefined ? "" : `${nameText(workflow)} `}ended: ${plainText(event.reason)}`;
    }
    case "task-failed": {
      // The lines of a round tell what failed in it; this one has had its lines.
      const isTold = rounds.find(({ round }) => round === event.round)?.closed !== undefined;
      return isTold
        ? colors.red(`${event.site} failed with the model of round ${event.round}: ${plainText(event.error.message)}`)
        : undefined;
    }
    case "job-ended":
    case "round-opened":
    case "task-assigned":
    case "round-closed":
    case "round-receipt":
    case "update-accepted":
    case "step-answered":
      break;
  }
  return undefined;
}

function keysLine(report: Pick<JobReport, "disconnected">, step: StepReport, nowMs: number): string {
  return `before the first round  ${stepText(report, step, nowMs)}`;
}

/** What is done so that updates are added without being read, and whom it waits for. */
function stepText(
  { disconnected }: Pick<JobReport, "disconnected">,
  { step, attempt, sites, answered, openedMs }: StepReport,
  nowMs: number,
): string {
  const awaited = sites
    .filter((site) => !answered.includes(site))
    .map((site) => (disconnected.includes(site) ? `${site} (disconnected)` : site));
  const what = `${stepNames[step]}${attempt === 0 ? "" : ` (attempt ${attempt + 1})`}  ${sites.length - awaited.length}/${sites.length}`;
  const who = awaited.length === 0 ? (step === "reveal" ? "adding" : "closing") : `waiting for ${awaited.join(", ")}`;
  return `${what}  ${durationText(Math.max(0, nowMs - openedMs))}  ${who}`;
}

const stepNames: Readonly<Record<StepReport["step"], string>> = {
  keys: "sites hand in keys",
  mask: "sites mask their updates anew",
  confirm: "sites confirm whose updates are added",
  reveal: "sites take their masks back",
};

/** A round as it stands in the JSON envelope. */
export function roundData(round: RoundReport): Json {
  return {
    round: round.round,
    workflow: round.workflow ?? null,
    task: round.task,
    evaluates: round.evaluates ?? null,
    metrics: round.closed?.metrics ?? {},
    bytes: round.closed?.bytes ?? 0,
    masked: round.isMasked,
    seconds: round.closed?.seconds ?? null,
    missing: round.closed?.missing ?? [],
    model: round.closed?.modelHash ?? null,
    sites: round.contributions.map(({ site, metrics, weight, bytes, sentBytes, seconds, wire, base }) => ({
      site,
      ...(base === undefined ? {} : { base_round: base }),
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

/** Which of its workflow's rounds it is; whose, where the job has several. */
function placeText({ workflow, place, totalRounds }: RoundReport): string {
  return `${workflow === undefined ? "" : `${nameText(workflow)}: `}${place} of ${totalRounds}`;
}

/** What a round is about, where that is not the usual: everybody trains the model. */
function subjectText({ evaluates, task, isTurn, sites: [site = ""] }: RoundReport): string {
  if (evaluates !== undefined) return `model of ${nameText(evaluates)}`;
  return [...(task === "train" ? [] : [nameText(task)]), ...(isTurn ? [`at ${site}`] : [])].join("  ");
}

function metricsText(metrics: Readonly<Record<string, number>>): string {
  const named = Object.entries(metrics).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const shown = named.slice(0, mostMetrics).map(([name, value]) => `${nameText(name)} ${metricText(value)}`);
  return [...shown, ...(named.length > mostMetrics ? [`and ${named.length - mostMetrics} more metrics`] : [])].join("  ");
}

/** Of many metrics the first are shown; `--format json` has all of them. */
const mostMetrics = 12;
