import type { ByteSource } from "../byte-source.js";
import { type FoldInit, foldUpdates } from "./fold-updates.js";
import { type InspectedUpdate, inspectUpdate } from "./inspect-update.js";
import type { ModelIndex } from "./match-layout.js";

/** A copy of the bytes of an update. */
export interface KeptBytes {
  readonly bytes: Uint8Array;
  /** Where they lie in the memory of the kernels, if they do. */
  readonly address?: number | undefined;
  release(): void;
}

/** What a session computes with; arithmetics differ in speed and in the kind of sums, not in what they refuse. */
export interface CpuArithmetic {
  /** For reports. */
  readonly device: string;
  /** Copies bytes to where `inspect` and `fold` read them fastest. */
  keep(bytes: Uint8Array): KeptBytes;
  /** Reads all of an update once and refuses it if any part is not fit to be folded. @throws as `AggregationSession.add` */
  inspect(source: ByteSource, model: ModelIndex, who: string, signal: AbortSignal | undefined): Promise<InspectedUpdate>;
  /**
   * Makes the new model's bytes; a chunk is valid until the next one is asked for.
   *
   * @throws `aggregate/out-of-range`, `internal/aborted`
   */
  fold(init: FoldInit): AsyncIterable<Uint8Array>;
}

/** Exact sums in plain JavaScript. */
export const jsArithmetic: CpuArithmetic = Object.freeze({
  device: "cpu",
  // Not slice(): a Buffer's slice would share the caller's memory.
  keep: (bytes: Uint8Array) => ({ bytes: new Uint8Array(bytes), release: () => {} }),
  inspect: inspectUpdate,
  fold: foldUpdates,
});
