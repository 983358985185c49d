import type { SummedContributor } from "./arithmetic.js";
import type { BlockMaxima } from "./block-maxima.js";
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
  /** Largest magnitudes of its blocks; `undefined` until they are checked. */
  readonly maxima: BlockMaxima | undefined;
  /** Who is behind sums. */
  readonly sums: SummedContributors | undefined;
}

/** The contributors behind sums that were made elsewhere. */
export interface SummedContributors {
  /** Those whose shares are known one by one. */
  readonly named: readonly NamedContributor[];
  readonly together: readonly SummedTogether[];
}

/** Contributors of whom nothing is known but what they have sent together. */
export interface SummedTogether {
  /** Sorted by name. */
  readonly contributors: readonly string[];
  /** The sum of their weights for each tensor of the model; 0 where none of them sent it. */
  readonly weights: readonly number[];
  /** Of all that they sent. */
  readonly bytes: number;
}

/** The names of all contributors behind sums. */
export function namesBehind({ named, together }: SummedContributors): readonly string[] {
  return [...named.map(({ contributor }) => contributor), ...together.flatMap(({ contributors }) => contributors)];
}

/** A contributor to sums that were made elsewhere, and what a report says of it. */
export interface NamedContributor extends SummedContributor {
  readonly contributor: string;
  readonly norm: number;
  readonly tensors: number;
  readonly bytes: number;
}
