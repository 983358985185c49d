import type { ContentHash, FedAvgSettings } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { ObjectRef } from "../store/model-store.js";
import type { RoundPlan } from "./round-state.js";

/** An object whose hash is a number, so that tests can tell objects apart. */
export function objectNumber(number: number): ObjectRef {
  return { hash: number.toString(16).padStart(64, "0") as ContentHash, size: 100 };
}

export function planOf(sites: readonly string[], settings: Partial<FedAvgSettings> = {}, rest: Partial<RoundPlan> = {}): RoundPlan {
  return {
    settings: {
      kind: "FedAvg",
      taskName: "train",
      numClients: sites.length,
      minClients: sites.length,
      numRounds: 2,
      startRound: 0,
      trainTimeoutMs: undefined,
      waitAfterMinReceivedMs: 10_000,
      stopCondition: undefined,
      patience: undefined,
      keyMetric: "accuracy",
      isKeyMetricNegated: false,
      aggregationWeights: {},
      strategy: { name: "fed-avg", settings: {} },
      excludeVars: undefined,
      fedproxMu: undefined,
      seed: 1,
      ...settings,
    },
    sites,
    mandatoryClients: [],
    firstRound: settings.startRound ?? 0,
    initialModel: objectNumber(0),
    left: [],
    workflow: undefined,
    ...rest,
  };
}

/** A journal made by hand: each event gets the next number, and the time that is given or one millisecond more. */
export class Journal {
  readonly entries: JournalEntry[] = [];
  #atMs = 0;

  add(event: JobEvent, atMs = this.#atMs + 1): JournalEntry {
    this.#atMs = atMs;
    const entry: JournalEntry = { jobId: "job", seq: this.entries.length + 1, atMs, event };
    this.entries.push(entry);
    return entry;
  }
}

export function updateOf(
  site: string,
  round: number,
  metrics: Readonly<Record<string, number>> = {},
): Extract<JobEvent, { type: "update-accepted" }> {
  const number = 1000 * (round + 1) + Number.parseInt(site, 36);
  return {
    type: "update-accepted",
    round,
    task: "train",
    site,
    update: objectNumber(number),
    paramsType: "FULL",
    weight: 10,
    metrics,
    meta: {},
  };
}

export function failureOf(site: string, round: number, message = `${site} broke`): Extract<JobEvent, { type: "task-failed" }> {
  return { type: "task-failed", round, task: "train", site, error: { code: "internal/bug", message } };
}

export function leftOf(site: string, message = `${site} went`): Extract<JobEvent, { type: "site-left" }> {
  return { type: "site-left", site, error: { code: "internal/bug", message } };
}
