import type { TensorSpec } from "../safetensors/layout.js";

/**
 * How updates become a model. Engines carry out what a strategy describes, so one strategy means the same on each of them:
 *
 * 1. `weigh` turns what is known of the contributors into shares (by default each counts with its weight);
 * 2. `combine` makes one value out of the contributors' values of an element:
 *    base + Σ factor × (value - base) / Σ weight for a mean, where the base is 0 for differences;
 * 3. `step` turns the change that this would make to the base into the change that is made.
 *
 * Tensors that only some contributors send are combined over those.
 */
export interface Strategy {
  /** Stands in reports, such as `fed-avg`. */
  readonly name: string;
  /** What it was made with, for reports; plain JSON. */
  readonly settings: Readonly<Record<string, number | string | boolean>>;
  readonly needs: StrategyNeeds;
  readonly combine: Combine;
  /**
   * Whether a tensor is combined; one that is not stays as the base has it, whatever contributors send. @default each is
   */
  readonly combines?: ((tensor: TensorSpec) => boolean) | undefined;
  /**
   * Gives the share of each contributor, in the order of the facts. @default each counts with its weight
   *
   * @throws `aggregate/strategy-unfit` when these contributors cannot be combined so, such as too few for Krum
   */
  readonly weigh?: ((facts: StrategyFacts) => readonly Share[]) | undefined;
  readonly step?: ServerStep | undefined;
  /** Fewest contributors that it can combine; with fewer `weigh` refuses. @default 1 */
  readonly minContributors?: number | undefined;
  /**
   * Whether `weigh` gives each contributor a share that depends on it alone, so that groups of contributors may be summed in
   * different places. @default true without `weigh`, false with it
   */
  readonly isSeparable?: boolean | undefined;
  /**
   * Tensors that are combined in ways of their own, each by the first part that has it; all others as this strategy says. The
   * strategy and its parts keep no state, and need neither norms nor distances, which are of whole models. @default none
   */
  readonly parts?: readonly StrategyPart[] | undefined;
}

/** Whether a strategy is carried out on a sum alone: its shares are the weights, and it looks at no update by itself. */
export function isOfSums({ combine, weigh, combines, parts, needs }: Strategy): boolean {
  const isPlain = combine.kind === "mean" && combine.divisor === undefined && weigh === undefined && combines === undefined;
  return isPlain && parts === undefined && needs.norms !== true && needs.distances !== true;
}

/** Some tensors of a model, and how they become one. */
export interface StrategyPart {
  has(tensor: TensorSpec): boolean;
  readonly strategy: Omit<Strategy, "parts">;
}

/** What a strategy asks for. What has to be known before anything is summed costs a pass over the updates, or the first one may do it. */
export interface StrategyNeeds {
  /** Norms of the differences from the base: `ContributorFacts.norm`. */
  readonly norms?: boolean;
  /** `StrategyFacts.squaredDistances`; all contributors then have to send the same tensors. */
  readonly distances?: boolean;
  /** What updates have to be, where it matters; others are refused with `aggregate/strategy-unfit`. @default either */
  readonly paramsType?: "FULL" | "DIFF";
}

/** How the values that contributors sent for one element become one. */
export type Combine =
  | {
      readonly kind: "mean";
      /**
       * Divides each sum, whoever sent the tensor: a contributor that did not send it counts as one that changed nothing, and
       * a tensor that nobody sent has a change of 0 and still takes the step. A base is needed. @default the sum of the
       * weights of those that sent it
       */
      readonly divisor?: number;
    }
  /** The middle value, or the mean of the two in the middle; shares do not count, but a factor of 0 leaves a contributor out. */
  | { readonly kind: "median" }
  /** The mean of what is left when `fraction` of the values, rounded down, is cut off at each end; 0 ≤ fraction < 0.5. Shares as for the median. */
  | { readonly kind: "trimmed-mean"; readonly fraction: number }
  | { readonly kind: "custom"; readonly combine: CombineValues };

/**
 * A combination of one's own.
 *
 * @param values - one array for each contributor that sent the tensor, in the order of their names, all of one length
 * @param shares - of the same contributors
 * @param into - takes the combined values; any finite numbers that depend on nothing but the arguments
 */
export type CombineValues = (values: readonly Float64Array[], shares: readonly Share[], into: Float64Array) => void;

/** What a strategy is told of one contributor. */
export interface ContributorFacts {
  readonly contributor: string;
  /** Number of samples, rounded to 29 significant bits. */
  readonly weight: number;
  /** Server versions between the model that the update was trained from and the current one. */
  readonly staleness: number;
  /** Euclidean norm of the difference from the base over all floating tensors; `undefined` unless it is needed. */
  readonly norm: number | undefined;
}

/** What a strategy is told before anything is summed. */
export interface StrategyFacts {
  /** Sorted by name. */
  readonly contributors: readonly ContributorFacts[];
  /**
   * Squared Euclidean distances between contributors over all floating tensors: entry `i * n + j`; `undefined` unless needed.
   * Symmetric, zeros on the diagonal.
   */
  readonly squaredDistances: Float64Array | undefined;
}

/** What one contributor counts with; both 0 leaves it out. */
export interface Share {
  /** Factor on its values. Rounded to 29 significant bits where sums are exact. */
  readonly factor: number;
  /** What it adds to the divisor. */
  readonly weight: number;
}

/** What a server does with the change that an aggregate would make, element by element; keeps state between rounds. */
export interface ServerStep {
  /** One tensor of float32 is kept for each of these and each tensor that the step applies to. */
  readonly stateNames: readonly string[];
  /** Whether the step is taken for a floating tensor; others become the plain aggregate. */
  appliesTo(tensor: TensorSpec): boolean;
  /** Overwrites the block's change, and its state. What it does to an element depends on that element alone, or on `random`. */
  apply(block: StepBlock): void;
}

/** Consecutive elements of one tensor. */
export interface StepBlock {
  readonly tensor: string;
  /** Elements before this block in the tensor. */
  readonly firstElement: number;
  /** The aggregate minus the base; what it holds afterwards is added to the base. */
  readonly change: Float64Array;
  /** Values before the round. */
  readonly base: Float64Array;
  /** One array for each of `stateNames`: the values after the step before, zeros at the first; overwritten by the new ones. */
  readonly state: readonly Float64Array[];
  /** Steps since the state began: 1 at the first. */
  readonly stepNumber: number;
}
