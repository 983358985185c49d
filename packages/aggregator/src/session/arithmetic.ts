import type { ByteSource } from "../byte-source.js";
import type { TensorPlace } from "../safetensors/layout.js";
import type { Combine, ServerStep, Strategy } from "../strategies/strategy.js";
import type { BlockMaxima } from "./block-maxima.js";
import type { StoredTensors } from "./stored-tensor.js";
import type { SummedContributors } from "./summed-contributors.js";
import type { UpdateFindings } from "./update-findings.js";

/** A copy of the bytes of an update. */
export interface KeptBytes {
  readonly bytes: Uint8Array;
  /** Where they lie in the memory of the kernels, if they do. */
  readonly address?: number | undefined;
  release(): void;
}

/** What a session computes with; arithmetics differ in speed, device and the kind of sums, not in what they refuse. */
export interface Arithmetic {
  /** For reports. */
  readonly device: string;
  /** Whether sums are exact, so that they may be made in several places. */
  readonly isExact: boolean;
  /** Copies bytes to where they are read fastest; `undefined` where there is no room for them. */
  keep(bytes: Uint8Array): KeptBytes | undefined;
  /** Reads all of an update once and gathers what it finds. @throws as `UpdateFindings` */
  inspect(update: ReadableUpdate, model: readonly TensorPlace[], findings: UpdateFindings, signal: AbortSignal | undefined): Promise<void>;
  /**
   * Squared Euclidean distances between sources over all floating tensors of the model that the first has: entry `i * n + j`.
   * The same bits in any order of work.
   */
  distances(init: DistancesInit): Promise<Float64Array>;
  /**
   * Makes the new model's bytes, batch after batch; a batch is valid until the next one is asked for.
   *
   * @throws `aggregate/out-of-range`, `internal/aborted`, and as `UpdateFindings` where updates are still to be checked
   */
  fold(init: FoldInit): AsyncIterable<FoldedBatch>;
}

/** An update, or the base, open for reading. */
export interface ReadableUpdate {
  readonly source: ByteSource;
  readonly stored: StoredTensors;
}

/** An update as it goes into the sums. */
export interface FoldUpdate extends ReadableUpdate {
  readonly contributor: string;
  /** Factor on its values, of at most 29 significant bits. */
  readonly factor: number;
  /** What it adds to the divisor. */
  readonly weight: number;
  /** Where given, what is read is checked and gathered there. */
  readonly findings: UpdateFindings | undefined;
  /** Largest magnitudes of its blocks, where it was checked before. */
  readonly maxima: BlockMaxima | undefined;
  /** Where given, the values are whole numbers of grid steps that were summed elsewhere, of these contributors. */
  readonly sums?: SummedContributors | undefined;
}

export interface FoldInit {
  readonly tensors: readonly TensorPlace[];
  /** In the order of the contributors' names. */
  readonly updates: readonly FoldUpdate[];
  readonly combine: Combine;
  readonly combines: Strategy["combines"];
  /** The grid of each tensor, where it was announced; otherwise each block has its own. */
  readonly announced: Float64Array | undefined;
  /** Taken over for tensors that no update has, and what differences are added to. */
  readonly base: ReadableUpdate | undefined;
  readonly isDifference: boolean;
  /** Tensors that are written. */
  readonly isIncluded: (tensor: number) => boolean;
  readonly step: FoldStep | undefined;
  /** `sums`: I64 tensors of grid steps instead of a model, for a tree of aggregations; exact means only. */
  readonly result: "model" | "sums";
  readonly note?: TakeNote | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Takes a sentence for the report on what did not go as it was asked for, such as a device that was left; any number of times. */
export type TakeNote = (sentence: string) => void;

/** A server step and the state that it goes on from. */
export interface FoldStep {
  readonly step: ServerStep;
  /** State before the step, in the order of its names; none at the first step. */
  readonly state: readonly ReadableUpdate[];
  readonly stepNumber: number;
}

/** The next bytes of the new model, and of each tensor of state for the tensors that the step applies to. */
export interface FoldedBatch {
  readonly model: Uint8Array;
  readonly state: readonly Uint8Array[];
}

export interface DistancesInit {
  readonly tensors: readonly TensorPlace[];
  readonly sources: readonly ReadableUpdate[];
  readonly note?: TakeNote | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A fold of whole models that were checked before, without a base, a step or anything else. */
export function plainFold(tensors: readonly TensorPlace[], updates: readonly FoldUpdate[], combine: Combine): FoldInit {
  return {
    tensors,
    updates,
    combine,
    combines: undefined,
    announced: undefined,
    base: undefined,
    isDifference: false,
    isIncluded: () => true,
    step: undefined,
    result: "model",
    signal: undefined,
  };
}
