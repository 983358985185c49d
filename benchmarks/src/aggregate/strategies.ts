import { randomBytes } from "node:crypto";
import { createStrategy, type Strategy, type StrategyName, strategyNames } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts/errors";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { oneOf } from "../command-line/parse-values.ts";
import type { BaselineName } from "./baselines/forms.ts";
import { type ExactRule, exactMean, exactMedian, exactTrimmedMean } from "./exact/exact-value.ts";

/** What a strategy is made with, as typed. */
export type StrategyOptions = Readonly<Record<string, string>>;

/** A strategy by its name and options. */
export interface ChosenStrategy {
  readonly name: StrategyName;
  readonly options: StrategyOptions;
}

/** What there is to measure of a strategy. */
export interface StrategyRow {
  readonly strategy: Strategy;
  /** Baselines that do the same, the one that ratios are taken to first, of each library. */
  readonly baselines: readonly BaselineName[];
  /** The same over files, where there is one. */
  readonly fileBaseline: BaselineName | undefined;
  /** What it makes of one element, without rounding; `undefined` where elements are not by themselves. */
  readonly exact: ExactRule | undefined;
  /** What the kernels alone are measured with. */
  readonly kernels: "mean" | "middle" | "distances";
}

const means: readonly BaselineName[] = ["numpy-add", "torch-add", "flower-reduce", "flower-inplace", "numpy-gemv"];

/** What is known of a strategy for so many updates. @throws `aggregate/strategy-invalid` */
export function strategyRow({ name, options }: ChosenStrategy, clients: number): StrategyRow {
  // Options are checked here too, so that a wrong one is told before anything is written.
  const strategy = createStrategy(name, options, { randomBytes });
  const { combine, needs } = strategy;
  if (combine.kind === "median") {
    return { strategy, baselines: ["numpy-median", "torch-median"], fileBaseline: undefined, exact: exactMedian, kernels: "middle" };
  }
  if (combine.kind === "trimmed-mean") {
    const exact = exactTrimmedMean(cutOf(strategy, clients));
    return { strategy, baselines: ["numpy-sort-trim"], fileBaseline: undefined, exact, kernels: "middle" };
  }
  if (needs.distances === true)
    return { strategy, baselines: ["numpy-krum"], fileBaseline: undefined, exact: undefined, kernels: "distances" };
  const isPlain = name === "fed-avg" || name === "fed-prox";
  return { strategy, baselines: means, fileBaseline: "numpy-files", exact: isPlain ? exactMean : undefined, kernels: "mean" };
}

/** Values that are cut off at each end by trimmed means, ours and the baselines'; an eighth where the strategy has none. */
export function cutOf({ combine }: Strategy, clients: number): number {
  return Math.floor((combine.kind === "trimmed-mean" ? combine.fraction : 1 / 8) * clients + 2 ** -30);
}

/**
 * A strategy's name and options as they stand on a command line: options as `name=value`.
 *
 * @throws `cli/invalid-arguments`
 */
export function parseStrategy(name: string, options: readonly string[]): ChosenStrategy {
  const known = oneOf("--strategy", name, strategyNames);
  const entries = options.map((text) => {
    const [, key = "", value = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (key === "") throw invalidArguments(`--strategy-option takes name=value, not '${text}'.`);
    return [key, value] as const;
  });
  const chosen = { name: known, options: Object.fromEntries(entries) };
  try {
    createStrategy(known, chosen.options, { randomBytes });
  } catch (cause) {
    if (cause instanceof FlareError && cause.code === "aggregate/strategy-invalid") throw invalidArguments(cause.message);
    throw cause;
  }
  return chosen;
}
