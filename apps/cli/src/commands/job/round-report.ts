import type { JournalEntry } from "@flare-ts/runtime/admin";

/** What one site contributed to a round. */
export interface SiteContribution {
  readonly site: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly weight: number;
  readonly bytes: number;
  /** From the opening of the round to the acceptance of the update. */
  readonly seconds: number;
  /** How its update was made smaller for the wire, and what that cost. */
  readonly wire?: { readonly form: string; readonly relativeError: number };
}

/** A round as a person looks at it. */
export interface RoundReport {
  readonly round: number;
  readonly openedMs: number;
  readonly sites: readonly string[];
  /** Rounds that the job does at most. */
  readonly totalRounds: number;
  readonly contributions: readonly SiteContribution[];
  /** Sites that reported that they could not do the task, with the reason. */
  readonly failures: readonly { readonly site: string; readonly message: string }[];
  /** Set once the round is closed. */
  readonly closed?: {
    readonly metrics: Readonly<Record<string, number>>;
    readonly bytes: number;
    readonly seconds: number;
    readonly missing: readonly string[];
    readonly modelHash: string;
  };
}

/** What is known of a job from its journal so far. */
export interface JobReport {
  readonly name: string;
  readonly rounds: readonly RoundReport[];
  readonly disconnected: readonly string[];
  readonly best?: { readonly round: number; readonly metric: string; readonly value: number };
  readonly end?: { readonly status: string; readonly reason: string };
}

/** A job of which nothing is known yet. */
export const emptyJobReport: JobReport = { name: "", rounds: [], disconnected: [] };

/** Adds a journalled event to what is known. */
export function addToReport(report: JobReport, entry: JournalEntry): JobReport {
  const { event, atMs } = entry;
  switch (event.type) {
    case "job-submitted":
      return { ...report, name: event.name };
    case "round-opened":
      return {
        ...report,
        rounds: [
          ...report.rounds,
          { round: event.round, openedMs: atMs, sites: event.sites, totalRounds: event.totalRounds, contributions: [], failures: [] },
        ],
      };
    case "update-accepted":
      return changeRound(report, event.round, (round) => ({
        ...round,
        contributions: [
          ...round.contributions,
          {
            site: event.site,
            metrics: event.metrics,
            weight: event.weight,
            bytes: event.update.size,
            seconds: (atMs - round.openedMs) / 1000,
            ...(event.wire === undefined ? {} : { wire: { form: event.wire.form, relativeError: event.wire.relativeError } }),
          },
        ],
      }));
    case "task-failed":
      return changeRound(report, event.round, (round) => ({
        ...round,
        failures: [...round.failures, { site: event.site, message: event.error.message }],
      }));
    case "round-closed":
      return changeRound(report, event.round, (round) => ({
        ...round,
        closed: {
          metrics: event.metrics,
          bytes: event.bytes,
          seconds: (atMs - round.openedMs) / 1000,
          missing: event.missing,
          modelHash: event.model.hash,
        },
      }));
    case "best-model":
      return { ...report, best: { round: event.round, metric: event.metric, value: event.value } };
    case "site-connected":
      return { ...report, disconnected: report.disconnected.filter((site) => site !== event.site) };
    case "site-disconnected":
      return { ...report, disconnected: [...report.disconnected.filter((site) => site !== event.site), event.site] };
    case "job-ended":
      return { ...report, end: { status: event.status, reason: event.reason } };
    case "job-started":
    case "round-receipt":
    case "site-left":
    case "deadline-passed":
    case "process-restarted":
    case "workflow-ended":
      break;
  }
  return report;
}

function changeRound(report: JobReport, number: number, change: (round: RoundReport) => RoundReport): JobReport {
  return { ...report, rounds: report.rounds.map((round) => (round.round === number ? change(round) : round)) };
}
