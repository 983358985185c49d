import type { SerializedFlareError } from "@flare-ts/contracts";
import type { SignedReceipt } from "../receipt/signed-receipt.js";
import type { SecureStep } from "../secure-aggregation/step-tasks.js";
import type { ObjectRef } from "../store/model-store.js";
import type { TransferAccount } from "../transfer/transfer-account.js";
import type { JobStatus } from "./job-status.js";
import type { UpdateWire } from "./update-wire.js";

/** Metrics of a model: name to finite number. */
export type Metrics = Readonly<Record<string, number>>;

/** What a site's parameters are: a whole model, or the difference to the model that it was given. */
export type ParamsType = "FULL" | "DIFF";

/** Name of one task at one site; the key under which an update is accepted once. */
export interface TaskKey {
  readonly jobId: string;
  readonly round: number;
  readonly task: string;
}

/** An update that the server holds durably. */
export interface AcceptedUpdate {
  readonly site: string;
  readonly update: ObjectRef;
  readonly paramsType: ParamsType;
  /** Samples or steps that the update stands for; positive and finite. */
  readonly weight: number;
  readonly metrics: Metrics;
  readonly meta: Readonly<Record<string, unknown>>;
  /** How it was made smaller for the wire; absent where it was not. */
  readonly wire?: UpdateWire;
  /** What of the update's bytes was sent, and what was not. Not in journals of older versions, nor where it is not known any more. */
  readonly transfer?: TransferAccount;
  /** What the site says that it did with the task, one after the other until it handed in. Not in journals of older versions. */
  readonly spans?: readonly TaskSpan[];
}

/** So long a task was in a phase at its site. */
export interface TaskSpan {
  /** `waiting`, `downloading`, `training`, `uploading`; newer sites may know others. */
  readonly phase: string;
  /** What it waited for; for people. */
  readonly reason?: string;
  /** By the site's own clock. */
  readonly ms: number;
}

/**
 * What happens to a job, in the order of its journal. Events with a `site` come from the server parent; the others are
 * decisions of the workflow. The state of a workflow is a fold over these events and nothing else.
 */
export type JobEvent =
  | { readonly type: "job-submitted"; readonly submitter: string; readonly name: string }
  | { readonly type: "job-started"; readonly sites: readonly string[] }
  | {
      readonly type: "round-opened";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      readonly sites: readonly string[];
      /** Rounds that the workflow does at most. */
      readonly totalRounds: number;
      /** Id of the workflow, where the job has several. */
      readonly workflow?: string;
      /** Whose model the sites evaluate: that of a site, or one of the server's with `SRV_` before its name. Absent where they do not. */
      readonly evaluates?: string;
      /** What sites are asked for instead of models: the model of the round is then a document that says more. */
      readonly asks?: "statistics" | "intersection";
      /** What each site is given, where that is not `model` for all of them. */
      readonly models?: Readonly<Record<string, ObjectRef>>;
      /** Only where sites do not wait for each other, so that tasks go on however many rounds close. */
      readonly buffered?: BufferedRound;
      /** Keys of the sites that are asked, with which they mask their updates; where those are added without being read. */
      readonly roster?: ObjectRef;
    }
  | {
      /** Sites get the model of a round that is open already, where sites do not wait for each other. */
      readonly type: "task-assigned";
      readonly round: number;
      readonly task: string;
      readonly model: ObjectRef;
      readonly sites: readonly string[];
    }
  | ({ readonly type: "update-accepted"; readonly round: number; readonly task: string } & AcceptedUpdate)
  /** Something else than an update is asked of sites, so that updates can be added without being read. */
  | {
      readonly type: "step-opened";
      readonly round: number;
      /** Its own name, by which it is told from the round's task and from other steps. */
      readonly task: string;
      readonly step: SecureStep;
      readonly attempt: number;
      /** What sites are given. */
      readonly document: ObjectRef;
      readonly sites: readonly string[];
    }
  /** A site's answer to such a step. */
  | { readonly type: "step-answered"; readonly round: number; readonly task: string; readonly site: string; readonly update: ObjectRef }
  | {
      readonly type: "task-failed";
      readonly round: number;
      readonly task: string;
      readonly site: string;
      readonly error: SerializedFlareError;
    }
  | { readonly type: "site-connected"; readonly site: string }
  | { readonly type: "site-disconnected"; readonly site: string; readonly reason: string }
  | { readonly type: "site-left"; readonly site: string; readonly error: SerializedFlareError }
  | {
      readonly type: "deadline-passed";
      readonly round: number;
      /** The step whose deadline it was; absent where it was that of the round. */
      readonly task?: string;
      /** Who had not answered, and why; told by the server parent. Not in journals of older versions. */
      readonly late?: readonly LateSite[];
    }
  | {
      readonly type: "round-closed";
      readonly round: number;
      readonly contributors: readonly string[];
      readonly missing: readonly string[];
      readonly model: ObjectRef;
      readonly metrics: Metrics;
      /** Bytes of the updates that were folded. */
      readonly bytes: number;
      /** Seconds that the aggregation took. */
      readonly aggregationSeconds: number;
      /** What aggregated, such as `cpu-wasm-exact`, and by which strategy. Not in journals of older versions, nor is the state. */
      readonly engine?: string;
      readonly strategy?: string;
      /** What the strategy keeps for the next round, by name; empty where it keeps nothing. */
      readonly state?: StrategyState;
      /** The updates that are in the model, where they need not be made from that of the round; sorted by site, then by round. */
      readonly updates?: readonly CountedUpdate[];
      /** The model of each contributor, or what it has made for another site, where the round combined none of them. */
      readonly models?: Readonly<Record<string, ObjectRef>>;
      /** The result of statistics, and where a download has it; in the round with which they are complete. */
      readonly statistics?: StatisticsFile;
    }
  | ({ readonly type: "round-receipt"; readonly round: number } & SignedReceipt)
  | { readonly type: "best-model"; readonly round: number; readonly model: ObjectRef; readonly metric: string; readonly value: number }
  | { readonly type: "process-restarted"; readonly where: string; readonly reason: string }
  | { readonly type: "workflow-ended"; readonly model: ObjectRef; readonly reason: string }
  | { readonly type: "job-ended"; readonly status: JobStatus; readonly reason: string };

/** How a round goes about what sites hand in of older rounds. */
export interface BufferedRound {
  /** The oldest round whose model sites may still be at work on: tasks of older rounds are over. */
  readonly oldestBase: number;
  /** Updates that make the round's model. */
  readonly updates: number;
}

/** An update that is in a model, by its site and the round whose model it was made from. */
export interface CountedUpdate {
  readonly site: string;
  readonly round: number;
}

/** A result of statistics: a JSON document. */
export interface StatisticsFile extends ObjectRef {
  /** Path inside a download of the job. */
  readonly path: string;
}

/** A site whose answer a round lacks at its deadline. */
export interface LateSite {
  readonly site: string;
  /** Such as `uploading 10 of 100 bytes`, or since when it is disconnected; for people. */
  readonly why: string;
}

/** What a strategy keeps between rounds: a safetensors file for each name. */
export type StrategyState = Readonly<Record<string, ObjectRef>>;

/** A journalled event. */
export interface JournalEntry {
  readonly jobId: string;
  /** 1, 2, 3 … within the job, without gaps. */
  readonly seq: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly atMs: number;
  readonly event: JobEvent;
}
