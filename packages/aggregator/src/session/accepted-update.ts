import type { SummedContributor } from "./arithmetic.js";
import type { StoredTensors } from "./stored-tensor.js";
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
  /** The contributors behind sums, sorted by name. */
  readonly sums: readonly NamedContributor[] | undefined;
}

/** A contributor to sums that were made elsewhere, and what a report says of it. */
export interface NamedContributor extends SummedContributor {
  readonly contributor: string;
  readonly norm: number;
  readonly tensors: number;
  readonly bytes: number;
}
