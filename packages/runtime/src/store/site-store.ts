import type { ContentHash } from "@flare-ts/contracts";
import type { AcceptedUpdate, TaskKey } from "../job/job-event.js";
import type { ObjectRef } from "./model-store.js";
import type { PrivacyCost, PrivacySpent } from "./privacy-cost.js";

/** A result that the site's job process has handed to its parent. */
export interface SiteResult extends TaskKey, Omit<AcceptedUpdate, "site" | "transfer"> {
  /** The model that the update was made of: what is the same in both need not be sent. */
  readonly base?: ObjectRef | undefined;
  /** The update itself where it is small, until it is acknowledged; any other is an object of the model store. */
  readonly bytes?: Uint8Array | undefined;
}

/** An update as it is before it is masked, for as long as it may have to be masked anew. */
export interface ClearUpdate {
  readonly jobId: string;
  readonly round: number;
  /** The task of the workflow. */
  readonly task: string;
  /** Difference to the model. */
  readonly clear: ObjectRef;
  readonly weight: number;
  readonly metrics: AcceptedUpdate["metrics"];
  readonly base: ObjectRef;
}

/** How far a round is whose updates are masked. */
export interface SecureRound extends ClearUpdate {
  /** The newest attempt; -1 before the first. */
  readonly attempt: number;
  /** The keys with which it was masked, and what came of that; `undefined` before. */
  readonly roster: ContentHash | undefined;
  readonly masked: ContentHash | undefined;
  /** SHA-256 of the statement that was signed in this attempt, in hexadecimal. */
  readonly statement: string | undefined;
  readonly isRevealed: boolean;
}

/** What is about to leave a site for a round. */
export type RoundAdvance =
  | { readonly to: "masked"; readonly attempt: number; readonly roster: ContentHash; readonly masked: ContentHash }
  | { readonly to: "confirmed" | "revealed"; readonly attempt: number; readonly statement: string };

/** The site's durable state. When a promise resolves, what it promises survives a kill and a power cut. */
export interface SiteStore {
  /**
   * Keeps a result until the server has acknowledged it; a second one for the same task is ignored and the first returned.
   *
   * @returns the one that counts; `undefined` once the job is over, of which nothing leaves any more
   */
  addResult(result: SiteResult): Promise<SiteResult | undefined>;
  result(key: TaskKey): Promise<SiteResult | undefined>;
  /** Results that the server has not acknowledged, oldest first. */
  pendingResults(): Promise<readonly SiteResult[]>;
  /** The model of the job's last result: the newest that this site has worked on, whether it still holds it or not. */
  lastBase(jobId: string): Promise<ObjectRef | undefined>;
  /**
   * The server has the result, or will never want it. It stays known until its job is forgotten. Of a result with its bytes a power cut,
   * though no kill, may take this back: it is delivered once more, which changes nothing.
   */
  acknowledge(key: TaskKey): Promise<void>;
  /** What the updates of a privacy scope have cost together, of all jobs. */
  privacySpent(scope: string): Promise<PrivacySpent>;
  /**
   * Writes down what the answer to a task costs, unless `allows` says of what it comes to with all others that this is too much. Of a task
   * that has no result yet, nothing has left: what is written down last counts, once, whatever its scope and cost were before. Another
   * answer to one that has, or to one of a job that is over, does not leave and costs nothing.
   *
   * @returns whether it stands there
   */
  spendPrivacy(
    key: TaskKey,
    spending: { readonly scope: string; readonly cost: PrivacyCost; readonly allows: (together: PrivacySpent) => boolean },
  ): Promise<boolean>;
  /**
   * A site's secret of a job, from which its masks follow; made of `fresh` when there is none yet. `undefined` once the job is over: its secret
   * is gone then.
   */
  maskSecret(jobId: string, fresh: () => Uint8Array): Promise<Uint8Array | undefined>;
  /** Keeps the update of a round as it is before it is masked; a second one is ignored. `undefined` once the job is over. */
  keepClear(update: ClearUpdate): Promise<SecureRound | undefined>;
  secureRound(jobId: string, round: number): Promise<SecureRound | undefined>;
  /** The newest round of each job. */
  secureRounds(): Promise<readonly SecureRound[]>;
  /**
   * Writes down what is about to leave the site for a round, unless this would let its update be told from a sum. Whatever of it is true
   * already may be written again. `false`: it must not leave.
   *
   * - `masked`: nothing is revealed of the round, and no later attempt is under way. Of one attempt, one masked update leaves.
   * - `confirmed`: that update was masked last, and no other statement is signed for this attempt.
   * - `revealed`: this is the statement that was signed. Nothing else of the round leaves from here on.
   */
  advanceRound(round: { readonly jobId: string; readonly round: number }, advance: RoundAdvance): Promise<boolean>;
  /** Remembers that a job is over, and drops its results. */
  endJob(jobId: string): Promise<void>;
  /** Whether a job was ended here before; a signed job must not run twice. */
  hasEnded(jobId: string): Promise<boolean>;
  close(): Promise<void>;
}
