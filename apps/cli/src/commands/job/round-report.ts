import {
  addToEvaluations,
  type JobStatistics,
  type JournalEntry,
  type KnownEvaluations,
  type ModelEvaluation,
  noEvaluations,
} from "@flare-ts/runtime/admin";
import { addToBuffered, type BufferedReport } from "./buffered-report.js";

/** What one site contributed to a round. */
export interface SiteContribution {
  readonly site: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly weight: number;
  readonly bytes: number;
  /** Bytes that went over the line for it. */
  readonly sentBytes?: number;
  /** From the opening of the round, or from when the site was given the model, to the acceptance of the update. */
  readonly seconds: number;
  /** The round whose model it was made from, where that need not be the round that it counts in. */
  readonly base?: number;
  /** How its update was made smaller for the wire, and what that cost. */
  readonly wire?: { readonly form: string; readonly relativeError: number };
}

/** A round as a person looks at it. */
export interface RoundReport {
  /** Counted over all workflows of the job. */
  readonly round: number;
  readonly task: string;
  /** Id of its workflow, where the job has several. */
  readonly workflow?: string;
  /** Which round of its workflow it is, from 1 on. */
  readonly place: number;
  /** Whose model the sites evaluate, where they do. */
  readonly evaluates?: string;
  /** What sites are asked for instead of models. */
  readonly asks?: "statistics" | "intersection";
  /** Whether updates come masked: the weight that each is told with says nothing. */
  readonly isMasked: boolean;
  readonly openedMs: number;
  readonly sites: readonly string[];
  /** Whether it is that of one site, where the job has several. */
  readonly isTurn: boolean;
  /** Rounds that the workflow does at most. */
  readonly totalRounds: number;
  /** What sites have handed in that were given the round's model; once the round is closed, what is in its model. */
  readonly contributions: readonly SiteContribution[];
  /** Whether updates made from older models count too, and sites go on when it closes. */
  readonly isBuffered: boolean;
  /** Sites that reported that they could not do the task, with the reason. */
  readonly failures: readonly { readonly site: string; readonly message: string }[];
  /** Set once the round is closed. */
  readonly closed?: {
    readonly metrics: Readonly<Record<string, number>>;
    readonly bytes: number;
    readonly seconds: number;
    readonly missing: readonly string[];
    readonly modelHash: string;
    /** Sites whose answers count. */
    readonly contributors: readonly string[];
    /** Whether their models were kept, each by itself, to be evaluated. */
    readonly isSubmission: boolean;
  };
}

/** Something else than an update that sites are asked for, so that updates are added without being read. */
export interface StepReport {
  readonly round: number;
  readonly task: string;
  readonly step: Extract<JournalEntry["event"], { type: "step-opened" }>["step"];
  readonly attempt: number;
  readonly sites: readonly string[];
  readonly answered: readonly string[];
  readonly openedMs: number;
}

/** What is known of a job from its journal so far. */
export interface JobReport {
  readonly name: string;
  readonly sites: readonly string[];
  readonly rounds: readonly RoundReport[];
  /** The step that is under way, in the newest round or before the first one. */
  readonly step?: StepReport | undefined;
  readonly evaluations: KnownEvaluations;
  /** What came of workflows that ask for statistics, once the job is over and it could be read. */
  readonly statistics: readonly JobStatistics[];
  readonly disconnected: readonly string[];
  /** Where sites do not wait for each other: what is under way. */
  readonly buffered?: BufferedReport | undefined;
  /** What they have handed in that is in no model yet. */
  readonly handedIn: readonly SiteContribution[];
  readonly best?: { readonly round: number; readonly metric: string; readonly value: number };
  readonly end?: { readonly status: string; readonly reason: string };
}

/** A job of which nothing is known yet. */
export const emptyJobReport: JobReport = {
  name: "",
  sites: [],
  rounds: [],
  evaluations: noEvaluations,
  statistics: [],
  disconnected: [],
  handedIn: [],
};

/** Adds a journalled event to what is known. */
export function addToReport(report: JobReport, entry: JournalEntry): JobReport {
  const evaluations = addToEvaluations(report.evaluations, entry);
  return addEvent({ ...report, evaluations, buffered: addToBuffered(report.buffered, entry.event, entry.atMs) }, entry);
}

/** Evaluations that are over, and were not before. */
export function evaluationsEnded(before: JobReport, now: JobReport): readonly ModelEvaluation[] {
  return now.evaluations.evaluations.filter(({ isOver }, i) => isOver && before.evaluations.evaluations[i]?.isOver !== true);
}

function addEvent(report: JobReport, { event, atMs }: JournalEntry): JobReport {
  switch (event.type) {
    case "job-submitted":
      return { ...report, name: event.name };
    case "job-started":
      return { ...report, sites: event.sites };
    case "round-opened":
      return { ...report, step: undefined, rounds: [...report.rounds, openedRound(report, event, atMs)] };
    case "step-opened": {
      const { round, task, step, attempt, sites } = event;
      return { ...report, step: { round, task, step, attempt, sites, answered: [], openedMs: atMs } };
    }
    case "step-answered":
      return withStepAnswer(report, event);
    case "task-assigned":
      return changeRound(report, event.round, (round) => ({ ...round, sites: [...new Set([...round.sites, ...event.sites])].sort() }));
    case "update-accepted": {
      if (report.buffered === undefined) {
        return changeRound(report, event.round, (round) => ({
          ...round,
          contributions: [...round.contributions, contributionOf(event, (atMs - round.openedMs) / 1000)],
        }));
      }
      const { site, round } = event;
      const done = report.buffered.buffer.find((one) => one.site === site && one.round === round);
      return done === undefined
        ? report
        : { ...report, handedIn: [...report.handedIn, { ...contributionOf(event, done.seconds), base: round }] };
    }
    case "task-failed":
      return changeRound(withStepAnswer(report, event), event.round, (round) => ({
        ...round,
        failures: [...round.failures, { site: event.site, message: event.error.message }],
      }));
    case "round-closed": {
      const { updates } = event;
      const counts = ({ site, base }: SiteContribution): boolean =>
        updates?.some((one) => one.site === site && one.round === base) === true;
      const handedIn = report.handedIn.filter((one) => !counts(one));
      return changeRound({ ...report, handedIn, step: undefined }, event.round, (round) => ({
        ...round,
        ...(updates === undefined ? {} : { contributions: report.handedIn.filter(counts) }),
        closed: {
          metrics: event.metrics,
          bytes: event.bytes,
          seconds: (atMs - round.openedMs) / 1000,
          missing: event.missing,
          modelHash: event.model.hash,
          contributors: event.contributors,
          isSubmission: event.models !== undefined,
        },
      }));
    }
    case "best-model":
      return { ...report, best: { round: event.round, metric: event.metric, value: event.value } };
    case "site-connected":
      return { ...report, disconnected: report.disconnected.filter((site) => site !== event.site) };
    case "site-disconnected":
      return { ...report, disconnected: [...report.disconnected.filter((site) => site !== event.site), event.site] };
    case "job-ended":
      return { ...report, end: { status: event.status, reason: event.reason } };
    case "round-receipt":
    case "site-left":
    case "deadline-passed":
    case "process-restarted":
    case "workflow-ended":
      break;
  }
  return report;
}

/** A site that has failed is not waited for either. */
function withStepAnswer(report: JobReport, { task, site }: { readonly task: string; readonly site: string }): JobReport {
  const { step } = report;
  return step?.task === task ? { ...report, step: { ...step, answered: [...step.answered, site] } } : report;
}

function openedRound(report: JobReport, event: Extract<JournalEntry["event"], { type: "round-opened" }>, atMs: number): RoundReport {
  const { round, task, workflow, evaluates, asks, roster, sites, totalRounds, buffered } = event;
  return {
    round,
    task,
    ...(workflow === undefined ? {} : { workflow }),
    place: report.rounds.filter((one) => one.workflow === workflow).length + 1,
    ...(evaluates === undefined ? {} : { evaluates }),
    ...(asks === undefined ? {} : { asks }),
    isMasked: roster !== undefined,
    openedMs: atMs,
    sites,
    isTurn: buffered === undefined && sites.length === 1 && report.sites.length > 1,
    isBuffered: buffered !== undefined,
    totalRounds,
    contributions: [],
    failures: [],
  };
}

function contributionOf(event: Extract<JournalEntry["event"], { type: "update-accepted" }>, seconds: number): SiteContribution {
  const { site, metrics, weight, update, transfer, wire } = event;
  return {
    site,
    metrics,
    weight,
    bytes: update.size,
    ...(transfer === undefined ? {} : { sentBytes: transfer.sentBytes }),
    seconds,
    ...(wire === undefined ? {} : { wire: { form: wire.form, relativeError: wire.relativeError } }),
  };
}

function changeRound(report: JobReport, number: number, change: (round: RoundReport) => RoundReport): JobReport {
  return { ...report, rounds: report.rounds.map((round) => (round.round === number ? change(round) : round)) };
}
