import type { ExactScale } from "./exact/exact-scale.js";
import type { SafetensorsLayout } from "./safetensors/layout.js";
import type { Share, Strategy } from "./strategies/strategy.js";

/** Whether updates are whole models or differences to the global model. */
export type ParamsType = "FULL" | "DIFF";

/** Turns updates into a model; implementations differ in speed and device, never in meaning. */
export interface AggregationEngine {
  /** Stands in reports, such as `cpu-js-exact`. */
  readonly name: string;
  /** What it computes on, in words. */
  readonly device: string;
  /**
   * Begins one aggregation.
   *
   * @throws `aggregate/safetensors-…` and `file/…` for the model's file, `aggregate/scale-incomplete`,
   *   `aggregate/strategy-unfit` for a strategy that the engine's mode cannot carry out, `internal/aborted`
   */
  open(init: AggregationInit): Promise<AggregationSession>;
  /** Ends the engine's threads and lets go of its memory. Sessions are to be finished or discarded before. */
  close(): Promise<void>;
}

export interface AggregationInit {
  /** The global model's file, or its layout: which tensors there are, and of what shape and type. */
  readonly model: string | SafetensorsLayout;
  readonly strategy: Strategy;
  /** What all updates of this session are. */
  readonly paramsType: ParamsType;
  /**
   * When the values of an update are read and checked. `add`: before it counts, so that each update is accepted or refused by
   * itself. `finish`: in the same pass as it is folded, so that each file is read once; a wrong value then shows in `finish`,
   * which names its contributor, and the session goes on without it after `remove`. Strategies that need norms
   * or distances, or have parts, always check when updates are added.
   *
   * @default "add"
   */
  readonly check?: "add" | "finish" | undefined;
  /**
   * The grid announced with the round. Give it wherever parts of one aggregation are folded at several places or before all
   * updates are known; a value that does not fit is refused. Without it the grid follows from the updates themselves.
   */
  readonly scale?: ExactScale | undefined;
  /** Existing folder for updates that come as streams, which lie there until the session ends. @default the system's folder for temporary files */
  readonly spoolFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Update {
  /** Who sends it; at most once in a session. */
  readonly contributor: string;
  /**
   * A safetensors file by path, to be left as it is until the session ends; its bytes, of which a copy is kept; or a stream of
   * its bytes, cut anywhere, which is written to a temporary file. Chunks of a stream must not be written to again.
   */
  readonly source: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Number of samples: exact below 2^29, otherwise rounded to 29 significant bits. */
  readonly weight: number;
  readonly paramsType: ParamsType;
  /** Versions of the global model between the one that was trained from and the current one, for strategies that look at it. @default 0 */
  readonly staleness?: number | undefined;
}

/** One aggregation: any number of `add`, then `finish` or `discard`. */
export interface AggregationSession {
  /**
   * Takes an update in. Updates may come in any order and at once; the result has the same bytes. An update that is refused, or
   * whose signal is aborted, leaves the session as if it had never been added.
   *
   * @throws `aggregate/weight-invalid`, `aggregate/params-type-mixed`, `aggregate/contributor-twice`,
   *   `aggregate/too-many-contributors`, `aggregate/update-empty`, `aggregate/unknown-tensor`, `aggregate/layout-mismatch`,
   *   `aggregate/compression-invalid`, `aggregate/not-finite`, `aggregate/value-invalid`, `aggregate/out-of-range`,
   *   `aggregate/safetensors-…`, `file/…`, `aggregate/session-closed`, `internal/aborted`
   */
  add(update: Update, signal?: AbortSignal): Promise<void>;
  /**
   * Takes in what another session's `finishSums` wrote, with all its contributors. Both sessions need the same announced scale
   * and the same strategy.
   *
   * @param source - the file's path
   * @throws as `add`, and `aggregate/sums-invalid`
   */
  addSums(source: string, signal?: AbortSignal): Promise<void>;
  /** Takes an update, or sums by their file's path, out again, bit by bit as if it had never been added; says whether it was there. */
  remove(contributor: string): Promise<boolean>;
  /**
   * Waits for updates that are being added, writes the new model and closes the session. On an error or abort no file is
   * left and the session stays open, so that finishing may be tried again.
   *
   * @throws `aggregate/no-contributions`, `aggregate/base-missing`, `aggregate/update-changed`, `aggregate/layout-mismatch`,
   *   `aggregate/update-incomplete`, `aggregate/strategy-unfit`, `aggregate/state-invalid`, `aggregate/out-of-range`, what `add`
   *   throws where values are checked at the end, `file/…`, `aggregate/session-closed`, `internal/aborted`
   */
  finish(init: FinishInit): Promise<AggregationReport>;
  /**
   * Writes the sums instead of a model, for `addSums` of a session elsewhere: relays fold their sites, the server folds
   * relays, and the model has the same bytes as if all updates had been folded at one place. Needs an announced scale, mode
   * `exact` and a strategy that is a mean of shares that follow from each contributor alone.
   *
   * @throws as `finish`
   */
  finishSums(init: Pick<FinishInit, "outPath" | "isDurable" | "isHashed" | "onProgress" | "signal">): Promise<AggregationReport>;
  /** Closes the session and lets go of everything that it holds; what runs is stopped. May be called at any time. */
  discard(): Promise<void>;
}

export interface FinishInit {
  /** Where the new model goes; it may be the base itself. */
  readonly outPath: string;
  /**
   * The global model that updates were trained from. Needed for DIFF, for server steps and for norms of whole models. Tensors
   * that no contributor sent are taken from it; without it they are left out of the new model.
   */
  readonly base?: string | undefined;
  /** The state of the strategy's server step; needed where it keeps one. */
  readonly state?: ServerState | undefined;
  /** Goes into the header of the new model. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether the file survives a power cut once `finish` resolves. Off where another process makes it durable, or where Node's
   * permission model denies fsync. @default true
   */
  readonly isDurable?: boolean | undefined;
  /** Whether the report has the hash of the new model's file, which takes a third of the time that a model from files does. @default true */
  readonly isHashed?: boolean | undefined;
  /** Told of each piece of the new model that was made. */
  readonly onProgress?: ((progress: FinishProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where that is which a server step keeps between rounds: one safetensors file for each of its `stateNames`. */
export interface ServerState {
  /** What the round before has written: its folder, or each file by its name without ending. None at the first round. */
  readonly from?: string | Readonly<Record<string, string>> | undefined;
  /** Folder for the new state, made where it is not there. Another one than `from`, so that a round can be taken again. */
  readonly to: string;
}

/** How much of the new model was made; sizes without the file's header. */
export interface FinishProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What was aggregated, by whom and how. */
export interface AggregationReport {
  readonly engine: string;
  /** What the arithmetic ran on, such as `cpu`. */
  readonly device: string;
  readonly strategy: string;
  readonly settings: Strategy["settings"];
  readonly paramsType: ParamsType;
  /** Those that are known one by one, sorted by name. */
  readonly contributors: readonly ContributorReport[];
  /** Those of whom only the sum is known, as `unmaskSums` makes it: no weight or norm of any one of them. */
  readonly together: readonly TogetherReport[];
  /** Tensors that some of `contributors` did not send, with the number of those that did. */
  readonly partialTensors: readonly { readonly tensor: string; readonly contributors: number }[];
  /** Tensors that no contributor sent. */
  readonly skippedTensors: readonly string[];
  /** Bytes of all updates. */
  readonly bytesIn: number;
  /** Size of the new model's file. */
  readonly bytesOut: number;
  /** Hash of the new model's file, lower-case hexadecimal; empty where it was not asked for. */
  readonly sha256: string;
  /** From `open` to the durable file. */
  readonly seconds: number;
  /** Most memory that the process has had since it began, in bytes. */
  readonly peakMemoryBytes: number;
  /** Sentences on what did not go as it was asked for, such as a device that was left for the CPU. */
  readonly notes: readonly string[];
}

/** Contributors whose updates were added before anybody saw them. */
export interface TogetherReport {
  /** Sorted by name. */
  readonly contributors: readonly string[];
  /** The sum of their weights, for the tensors that the most of it was sent for. */
  readonly weight: number;
  /** Tensors that any of them sent. */
  readonly tensors: number;
  /** Of all that they sent. */
  readonly bytes: number;
  /** Tensors that some of them did not send, with the sum of the weights of those that did; how many they are is not known. */
  readonly partialTensors: readonly { readonly tensor: string; readonly weight: number }[];
}

export interface ContributorReport extends Share {
  readonly contributor: string;
  /** What it counts with in the divisor; 0 where the strategy left it out. */
  readonly weight: number;
  /** Factor on its values; the weight unless the strategy says otherwise. */
  readonly factor: number;
  /** Euclidean norm over all floating tensors of the update. */
  readonly norm: number;
  readonly tensors: number;
  readonly bytes: number;
}
