import type { BlockMaxima } from "./block-maxima.js";
import type { StoredTensors } from "./stored-tensor.js";
import type { SummedContributors } from "./summed-contributors.js";
import type { UpdateContent } from "./update-content.js";

/** An update, or sums of several, that a session has taken in. */
export interface AcceptedUpdate {
  /** The contributor, or the path of a file of sums. */
  readonly name: string;
  /** As given, rounded to 29 significant bits; of sums, 0. */
  readonly weight: number;
  readonly staleness: number;
  readonly content: UpdateContent;
  /** Of its bytes, as `ByteSource.identity`. */
  readonly identity: string;
  readonly bytes: number;
  readonly tensors: number;
  readonly stored: StoredTensors;
  /** Euclidean norm of its values; `undefined` until they are checked. */
  readonly norm: number | undefined;
  /** Largest magnitudes of its blocks; `undefined` until they are checked. */
  readonly maxima: BlockMaxima | undefined;
  /** Who is behind sums. */
  readonly sums: SummedContributors | undefined;
}
