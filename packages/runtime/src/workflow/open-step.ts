import type { JobEvent } from "../job/job-event.js";
import { hasFailed } from "./open-round.js";
import type { OpenStep } from "./secure-round-state.js";
import type { SiteFailure } from "./site-failure.js";
import type { StepAnswers } from "./workflow-machine.js";

type StepOpened = Extract<JobEvent, { type: "step-opened" }>;

/** A step as it opens. */
export function openedStep({ round, task, step, attempt, document, sites }: StepOpened, openedAtMs: number): OpenStep {
  return { round, task, step, attempt, document, sites, openedAtMs, answers: new Map(), failures: [], hasDeadlinePassed: false };
}

/** The step after an event; the same where the event is not of it. A failure takes an answer back, which turned out to be unusable. */
export function stepAfter(step: OpenStep, event: JobEvent): OpenStep {
  if (!("round" in event) || !("task" in event) || event.round !== step.round || event.task !== step.task) return step;
  if (event.type === "deadline-passed") return step.hasDeadlinePassed ? step : { ...step, hasDeadlinePassed: true };
  if (event.type !== "step-answered" && event.type !== "task-failed") return step;
  const { site } = event;
  if (!step.sites.includes(site) || hasFailed(step.failures, site)) return step;
  if (event.type === "task-failed") return { ...step, failures: [...step.failures, { site, error: event.error }] };
  return step.answers.has(site) ? step : { ...step, answers: new Map(step.answers).set(site, event.update) };
}

/** Sites that have answered usably, sorted, with what they said. */
export function answersOf({ answers, failures }: OpenStep): StepAnswers {
  return [...answers].filter(([site]) => !hasFailed(failures, site)).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Sites that may still answer. */
export function awaitedIn(step: OpenStep, left: readonly SiteFailure[]): readonly string[] {
  return step.sites.filter((site) => !step.answers.has(site) && !hasFailed(step.failures, site) && !hasFailed(left, site));
}

/** Sites of which no usable answer came, and none is waited for any more. */
export function lostIn(step: OpenStep, left: readonly SiteFailure[]): readonly string[] {
  const awaited = step.hasDeadlinePassed ? [] : awaitedIn(step, left);
  const answered = answersOf(step).map(([site]) => site);
  return step.sites.filter((site) => !awaited.includes(site) && !answered.includes(site));
}
