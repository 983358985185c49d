import type { JournalEntry } from "@flare-ts/runtime/admin";
import type { FaultOutcome } from "../faults/fault.js";
import { surplusFiles } from "./left-behind.js";
import type { RunResult } from "./run-job.js";

/** One thing that must be so after a run, and whether it is. */
export interface RunCheck {
  readonly name: string;
  readonly isGood: boolean;
  /** What was found. */
  readonly detail: string;
}

/**
 * Compares a disturbed run with an undisturbed one: nothing but time may tell them apart.
 *
 * @param work - what was found of the job's work
 */
export function checkRun(
  disturbed: RunResult,
  undisturbed: RunResult,
  work: readonly RunCheck[] = sameWork(disturbed, undisturbed),
): readonly RunCheck[] {
  return [
    sameEnd(disturbed.journal, undisturbed.journal),
    ...work,
    check("nobody failed or left", failures(disturbed.journal), "no failed task"),
    check("processes all stopped when asked", [...disturbed.killed], "none was killed"),
    check("no process is left", disturbed.leftBehind.processes, "none"),
    check("no socket is left", disturbed.leftBehind.sockets, "none"),
    check("no temporary file is left", leftFiles(disturbed, undisturbed), "none that an undisturbed run does not leave"),
  ];
}

/** What must be so of the work of a job whose rounds wait for their sites: it depends on nothing that differs from run to run. */
function sameWork(disturbed: RunResult, undisturbed: RunResult): readonly RunCheck[] {
  return [
    sameResults(disturbed.results, undisturbed.results),
    sameFigures(disturbed.journal, undisturbed.journal),
    eachUpdateOnce(disturbed.journal),
  ];
}

/** Whether the faults of a run went as they were meant, and any of them happened: without one there is nothing to compare. */
export function checkFaults(outcomes: readonly FaultOutcome[]): RunCheck {
  const of = (wanted: FaultOutcome["outcome"]): readonly FaultOutcome[] => outcomes.filter(({ outcome }) => outcome === wanted);
  const failed = of("failed").map(({ fault, detail }) => `${fault.number} ${fault.kind}: ${detail}`);
  const noTurn = of("not-reached").length;
  const injected = of("injected").length;
  const happened = `${injected} of ${outcomes.length}${noTurn === 0 ? "" : `; the job was over before ${noTurn} of them`}`;
  return {
    name: "no fault went otherwise than meant",
    isGood: failed.length === 0 && injected > 0,
    detail: failed.length === 0 ? happened : failed.join("; "),
  };
}

/** A check that is good when there are no problems. */
export function check(name: string, problems: readonly string[], good: string): RunCheck {
  return { name, isGood: problems.length === 0, detail: problems.length === 0 ? good : problems.join("; ") };
}

function sameEnd(actual: readonly JournalEntry[], expected: readonly JournalEntry[]): RunCheck {
  const [mine, its] = [endOf(actual), endOf(expected)];
  // Two runs that fail alike show nothing.
  const isGood = mine === its && mine.startsWith("FINISHED:COMPLETED:");
  return { name: "the job ended as it would have", isGood, detail: mine === its ? mine : `${mine}, not ${its}` };
}

function endOf(entries: readonly JournalEntry[]): string {
  const event = entries.at(-1)?.event;
  return event?.type === "job-ended" ? `${event.status}: ${event.reason}` : "it did not end";
}

function sameResults(actual: RunResult["results"], expected: RunResult["results"]): RunCheck {
  const names = [...new Set([...Object.keys(actual), ...Object.keys(expected)])].sort();
  const others = names.filter((name) => actual[name] !== expected[name]).map((name) => `${name}: ${actual[name]}, not ${expected[name]}`);
  return check(
    "the result has the bytes of the undisturbed run",
    names.length === 0 ? ["there is no result"] : others,
    names.map((name) => `${name} ${actual[name]?.slice(0, 12)}`).join(", "),
  );
}

/** What sites have measured, in every round. */
function sameFigures(actual: readonly JournalEntry[], expected: readonly JournalEntry[]): RunCheck {
  const [mine, its] = [figuresOf(actual), figuresOf(expected)];
  const places = [...new Set([...mine.keys(), ...its.keys()])];
  const others = places.filter((place) => mine.get(place) !== its.get(place));
  const problems = others.map((place) => `${place}: ${mine.get(place) ?? "nothing"}, not ${its.get(place) ?? "nothing"}`);
  return check("sites have measured the same", problems, `${places.length} answers`);
}

function figuresOf(entries: readonly JournalEntry[]): ReadonlyMap<string, string> {
  return new Map(
    entries.flatMap(({ event }) =>
      event.type === "update-accepted" ? [[`${event.site} in round ${event.round}`, JSON.stringify(event.metrics)] as const] : [],
    ),
  );
}

function eachUpdateOnce(entries: readonly JournalEntry[]): RunCheck {
  const problems: string[] = [];
  const accepted = new Map<string, number>();
  let counted = 0;
  for (const { event } of entries) {
    if (event.type === "update-accepted") {
      const key = `${event.site} in round ${event.round}`;
      accepted.set(key, (accepted.get(key) ?? 0) + 1);
    }
    if (event.type === "round-closed") {
      counted += event.contributors.length;
      for (const site of event.contributors) {
        const times = accepted.get(`${site} in round ${event.round}`) ?? 0;
        if (times !== 1) problems.push(`${site} counted in round ${event.round} was accepted ${times} times`);
      }
      if (new Set(event.contributors).size !== event.contributors.length) problems.push(`round ${event.round} counted a site twice`);
      for (const site of event.missing) problems.push(`${site} is missing in round ${event.round}`);
    }
  }
  const total = [...accepted.values()].reduce((sum, times) => sum + times, 0);
  if (total !== counted) problems.push(`${total} updates were accepted and ${counted} counted`);
  problems.push(...missingNumbers(entries));
  if (counted === 0) problems.push("there were no updates");
  return check("each update was counted once", problems, `${counted} updates`);
}

/** Entries of a journal that do not have the numbers that they should. */
export function missingNumbers(entries: readonly JournalEntry[]): readonly string[] {
  return entries.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`entry ${index + 1} of the journal has the number ${seq}`]));
}

function failures(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap(({ event }) =>
    event.type === "task-failed" || event.type === "site-left"
      ? [`${event.site}: ${event.type}, ${event.error.code} ${event.error.message}`]
      : [],
  );
}

function leftFiles(disturbed: RunResult, undisturbed: RunResult): readonly string[] {
  const surplus = Object.entries(disturbed.files).flatMap(([name, shapes]) =>
    surplusFiles(shapes, undisturbed.files[name] ?? new Map()).map((text) => `${name}/${text}`),
  );
  return [...surplus, ...disturbed.temporary.filter((path) => !undisturbed.temporary.includes(path)).map((path) => `tmp/${path}`)];
}
