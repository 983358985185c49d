import type { RoundSettings } from "@flare-ts/contracts";
import type { JobEvent } from "../job/job-event.js";
import type { OpenRound } from "./round-state.js";
import type { SiteFailure } from "./site-failure.js";

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

/** A round as it opens. */
export function openedRound({ round, task, model, models, sites }: EventOf<"round-opened">, atMs: number): OpenRound {
  return {
    ...(models === undefined ? {} : { models }),
    round,
    task,
    model,
    sites,
    openedAtMs: atMs,
    answers: new Map(),
    failures: [],
    quorumAtMs: undefined,
    hasDeadlinePassed: false,
  };
}

/** Whether what a site says of a task is of this round, which asked it. */
export function isOfRound(open: OpenRound, event: { readonly round: number; readonly task: string; readonly site: string }): boolean {
  return open.round === event.round && open.task === event.task && open.sites.includes(event.site);
}

/** Whether a round has heard how a site's task went. */
export function hasHeardOf({ answers, failures }: OpenRound, site: string): boolean {
  return answers.has(site) || hasFailed(failures, site);
}

export function hasFailed(failures: readonly SiteFailure[], site: string): boolean {
  return failures.some((failure) => failure.site === site);
}

/** The job's factor on the weight of a site. */
export function factorOf({ aggregationWeights }: Pick<RoundSettings, "aggregationWeights">, site: string): number {
  return Object.hasOwn(aggregationWeights, site) ? (aggregationWeights[site] ?? 1) : 1;
}

/** The round with a site's first answer; its weight times the job's factor for the site. */
export function withAnswerOf(open: OpenRound, event: EventOf<"update-accepted">, factor = 1): OpenRound {
  const { site, update, paramsType, metrics } = event;
  return { ...open, answers: new Map(open.answers).set(site, { site, update, paramsType, weight: event.weight * factor, metrics }) };
}

export function withFailureOf(open: OpenRound, { site, error }: EventOf<"task-failed">): OpenRound {
  return { ...open, failures: [...open.failures, { site, error }] };
}

/** The sites that left, with one that does now. */
export function withLeft(left: readonly SiteFailure[], { site, error }: EventOf<"site-left">): readonly SiteFailure[] {
  return hasFailed(left, site) ? left : [...left, { site, error }];
}
