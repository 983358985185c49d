import { FlareError, type Json, type SerializedFlareError } from "@flare-ts/contracts/errors";
import { type AnswerTimes, allowanceOf } from "./answer-times.js";
import type { OpenRound, RoundPlan, RoundState } from "./round-state.js";
import type { SiteFailure } from "./site-failure.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** Answers that a round needs. */
export function quorumOf(plan: RoundPlan): number {
  return Math.max(1, plan.settings.minClients);
}

/** Sites of the job that did not leave it. */
export function presentSites(plan: Pick<WorkflowPlan, "sites">, { left }: Pick<RoundState, "left">): readonly string[] {
  const gone = new Set(left.map(({ site }) => site));
  return plan.sites.filter((site) => !gone.has(site));
}

/** Sites of a round that answered usably, sorted. */
export function answeredSites(open: OpenRound): readonly string[] {
  const failed = new Set(open.failures.map(({ site }) => site));
  return [...open.answers.keys()].filter((site) => !failed.has(site)).sort();
}

/** Sites of a round that did not answer, and still may. */
export function pendingSites(open: OpenRound, left: readonly SiteFailure[]): readonly string[] {
  const gone = new Set([...open.failures, ...left].map(({ site }) => site));
  return open.sites.filter((site) => !gone.has(site) && !open.answers.has(site));
}

/**
 * When a round stops waiting for the sites that have not answered, provided that it has its quorum; `undefined` while no clock
 * runs. Where the job sets both clocks, the one that runs out first; where it sets none, what was measured.
 */
export function deadlineOf(plan: RoundPlan, { left, times }: Pick<RoundState, "left" | "times">, open: OpenRound): number | undefined {
  const { trainTimeoutMs, waitAfterMinReceivedMs } = plan.settings;
  if (trainTimeoutMs === undefined && waitAfterMinReceivedMs === undefined) return measuredDeadline(open, left, times);
  const sinceOpening = trainTimeoutMs === undefined ? Number.POSITIVE_INFINITY : open.openedAtMs + trainTimeoutMs;
  const sinceQuorum =
    waitAfterMinReceivedMs === undefined || open.quorumAtMs === undefined
      ? Number.POSITIVE_INFINITY
      : open.quorumAtMs + Math.max(waitAfterMinReceivedMs, open.quorumAtMs - open.openedAtMs);
  const deadline = Math.min(sinceOpening, sinceQuorum);
  return Number.isFinite(deadline) ? deadline : undefined;
}

function measuredDeadline(open: OpenRound, left: readonly SiteFailure[], times: AnswerTimes): number | undefined {
  const quorumMs = open.quorumAtMs === undefined ? undefined : Math.max(0, open.quorumAtMs - open.openedAtMs);
  let latestMs = 0;
  for (const site of pendingSites(open, left)) {
    const allowanceMs = allowanceOf(times.get(site), quorumMs);
    if (allowanceMs === undefined) return undefined;
    latestMs = Math.max(latestMs, allowanceMs);
  }
  return latestMs === 0 ? undefined : open.openedAtMs + latestMs;
}

/** The error of a round that can no longer get its quorum: who fell out, and why the first one did. */
export function quorumLost(plan: RoundPlan, round: number, possible: number, failures: readonly SiteFailure[]): SerializedFlareError {
  const needed = quorumOf(plan);
  const what = `Round ${round} needs answers of ${needed} ${needed === 1 ? "site" : "sites"}, and only ${possible} can answer.`;
  return sitesLost(what, failures, { round, needed, possible });
}

/** The error of a workflow that cannot go on for want of sites: who fell out, and why the first one did. */
export function sitesLost(what: string, failures: readonly SiteFailure[], facts: Readonly<Record<string, Json>>): SerializedFlareError {
  const first = failures[0];
  const names = [...new Set(failures.map(({ site }) => site))];
  const shown = names.length > 10 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ");
  const all: Record<string, Json> = { ...facts, sites: names };
  if (first !== undefined) all["firstError"] = { site: first.site, code: first.error.code, message: first.error.message };
  return new FlareError(
    "runtime/quorum-lost",
    what + (first === undefined ? "" : ` Failed: ${shown}. The first error was that of ${first.site}: ${first.error.message}`),
    { facts: all },
  ).toJSON();
}

/** The error of a job that lost a site without which it must not run. */
export function mandatorySiteLost({ site, error }: SiteFailure): SerializedFlareError {
  return new FlareError("runtime/mandatory-site-lost", `${site}, a mandatory client of the job, is gone: ${error.message}`, {
    facts: { site, error: { code: error.code, message: error.message } },
  }).toJSON();
}
