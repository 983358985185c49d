import { fedAvg, type Strategy } from "@flare-ts/aggregator";
import { nearestWord } from "@flare-ts/contracts";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { oneOf } from "../command-line/parse-values.ts";
import type { BaselineName } from "./baselines/forms.ts";
import { type ExactRule, exactMean } from "./exact/exact-value.ts";

/** What a strategy is made with. */
export type StrategyOptions = Readonly<Record<string, string | number | boolean>>;

interface StrategyRow {
  /** Names of options, for those that have some. */
  readonly optionNames: readonly string[];
  readonly make: (options: StrategyOptions) => Strategy;
  /** Baselines that do the same, the one that ratios are taken to first, of each library. */
  readonly baselines: readonly BaselineName[];
  /** The same over files. */
  readonly fileBaseline: BaselineName;
  /** What it makes of one element, without rounding; `undefined` where elements are not by themselves. */
  readonly exact: ExactRule | undefined;
  /** Whether the kernels for weighted sums are what does it. */
  readonly isWeightedMean: boolean;
}

const rows = {
  "fed-avg": {
    optionNames: [],
    make: () => fedAvg(),
    baselines: ["numpy-add", "torch-add", "flower-reduce", "flower-inplace", "numpy-gemv"],
    fileBaseline: "numpy-files",
    exact: exactMean,
    isWeightedMean: true,
  },
} as const satisfies Record<string, StrategyRow>;

/** Names of strategies that can be measured. */
export type StrategyName = keyof typeof rows;

/** All names. */
export const strategyNames = Object.keys(rows) as readonly StrategyName[];

/** What is known of a strategy. */
export function strategyRow(name: StrategyName): StrategyRow {
  return rows[name];
}

/**
 * A strategy's name and options as they stand on a command line: options as `name=value`.
 *
 * @throws `cli/invalid-arguments`
 */
export function parseStrategy(
  name: string,
  options: readonly string[],
): { readonly name: StrategyName; readonly options: StrategyOptions } {
  const known = oneOf("--strategy", name, strategyNames);
  const { optionNames } = strategyRow(known);
  const entries = options.map((text) => {
    const [, key = "", value = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (key === "") throw invalidArguments(`--strategy-option takes name=value, not '${text}'.`);
    if (!optionNames.includes(key)) {
      const near = nearestWord(key, optionNames);
      const has = optionNames.length === 0 ? "has no options" : `has the options ${optionNames.join(", ")}`;
      throw invalidArguments(`Strategy ${known} ${has}, and none called '${key}'.${near === undefined ? "" : ` Did you mean '${near}'?`}`);
    }
    return [key, optionValue(value)] as const;
  });
  return { name: known, options: Object.fromEntries(entries) };
}

function optionValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
