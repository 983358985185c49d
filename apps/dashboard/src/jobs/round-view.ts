import type { Metrics, TaskSpan } from "./job-event.js";
import type { SecureSum } from "./secure-sum.js";

/** How far a site is in a round. `missing`: the round closed, or the job ended, without it. */
export type SiteRoundState = "working" | "answered" | "failed" | "gone" | "missing";

/** One site in one round. */
export interface SiteInRound {
  readonly site: string;
  state: SiteRoundState;
  /** When its task was there for it. */
  readonly openedMs: number;
  /** When its answer, or its failure, was there. */
  answeredMs: number | null;
  /** Samples or steps that its update stands for. */
  weight: number | null;
  bytes: number | null;
  metrics: Metrics;
  /** Why it failed or is not there. */
  cause: string;
  /** What it did until its answer was there, one after the other; empty where it has not told. */
  spans: readonly TaskSpan[];
}

/** What sites do in a round: they train, hand in a model of their own, measure a model that they are given, say what data they have, or blind lists. */
export type RoundKind = "train" | "submit" | "evaluate" | "statistics" | "intersection";

/** One round of a job. */
export interface RoundView {
  /** As the journal counts it, over all workflows of the job. */
  readonly round: number;
  /** 1, 2, 3 … within its workflow. */
  readonly number: number;
  /** Rounds that its workflow does at most. */
  readonly totalRounds: number;
  /** Id of its workflow; empty where the job has no other. */
  readonly workflow: string;
  readonly task: string;
  kind: RoundKind;
  /** Whose model is evaluated: that of a site, or one of the server's with `SRV_` before its name. Empty where none is. */
  readonly evaluates: string;
  readonly openedMs: number;
  closedMs: number | null;
  deadlineMs: number | null;
  readonly sites: Map<string, SiteInRound>;
  metrics: Metrics;
  bytes: number | null;
  aggregationSeconds: number | null;
  engine: string;
  strategy: string;
  /** Sites whose own model the server has from this round, sorted. */
  handedIn: readonly string[];
  /** Where sites do not wait for each other: its `sites` are those that were given its model, and go on when it closes. */
  readonly buffered: { readonly oldestBase: number; readonly updates: number } | null;
  /** Where updates are added without being read: how far that is. */
  secureSum: SecureSum | null;
  /** The updates in what it made, by the round whose model each began with; empty where all began with that of the round. */
  madeOf: readonly { readonly site: string; readonly round: number }[];
}

/** A round's name in a sentence, such as `round 3`, or `round 3 of evaluate` where the job has several workflows. */
export function roundName({ number, workflow }: Pick<RoundView, "number" | "workflow">): string {
  return workflow === "" ? `round ${number}` : `round ${number} of ${workflow}`;
}

/** The same at the beginning of a sentence, or on its own. */
export function roundTitle(round: Pick<RoundView, "number" | "workflow">): string {
  return `R${roundName(round).slice(1)}`;
}

/** Whether a round asks for no models, but for something that is said of data. */
export function isAnswered({ kind }: Pick<RoundView, "kind">): boolean {
  return kind === "statistics" || kind === "intersection";
}
