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

/** A contributor to sums that were made elsewhere, and what a report says of it. */
export interface NamedContributor extends SummedContributor {
  readonly contributor: string;
  readonly norm: number;
  readonly tensors: number;
  readonly bytes: number;
}

/** One contributor to sums that were made elsewhere. */
export interface SummedContributor {
  readonly factor: number;
  readonly weight: number;
  /** Tensors of the model that it did not send. */
  readonly absent: ReadonlySet<number>;
}

/** How many contributors are behind an update: itself, or those of sums. */
export function contributorsBehind({ sums }: { readonly sums?: SummedContributors | undefined }): number {
  return sums === undefined ? 1 : namesBehind(sums).length;
}

/** The names of all contributors behind sums. */
export function namesBehind({ named, together }: SummedContributors): readonly string[] {
  return [...named.map(({ contributor }) => contributor), ...together.flatMap(({ contributors }) => contributors)];
}
