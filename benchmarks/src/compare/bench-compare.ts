import process from "node:process";
import { givenPath } from "../command-line/given-path.ts";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { type OptionTable, optionLines, parseOptions } from "../command-line/parse-options.ts";
import { percentage } from "../command-line/parse-values.ts";
import { readResult } from "../result/read-result.ts";
import { type ComparedFigure, compareResults, comparisonRule } from "./compare-results.ts";
import { comparisonText } from "./comparison-text.ts";

const options = {
  "fail-on-slower": { value: "<share>", about: "exit status 1 when an engine is slower beyond noise by more than this, such as 10%" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

const usage = `usage: npm run bench -- compare <before.json> <after.json> [options]

Says for each figure that both files have whether it changed beyond noise: the Mann–Whitney test on all runs gives p < ${comparisonRule.mostProbable}, and
the medians differ by at least ${100 * comparisonRule.leastChange}%. With five runs each that is when all of one lie above all of the other. Between machines, the ratios
to the baselines are what can be compared.

${optionLines(options)}
`;

/**
 * Compares two files of results.
 *
 * @throws `cli/invalid-arguments`, `file/…`, `document/invalid` for a file of another kind or version
 */
export async function benchCompare(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  const [beforePath, afterPath, ...more] = given.words;
  if (beforePath === undefined || afterPath === undefined || more.length > 0) {
    throw invalidArguments(`compare takes two files of results, not ${given.words.length}.`);
  }
  const shareText = given.last("fail-on-slower");
  const share = shareText === undefined ? undefined : percentage("--fail-on-slower", shareText);
  const [before, after] = [await readResult(givenPath(beforePath)), await readResult(givenPath(afterPath))];
  const comparison = compareResults(before, after);
  process.stdout.write(comparisonText(comparison, { before: before.environment, after: after.environment }));
  const slower = share === undefined ? [] : slowerEngines(comparison.figures, share);
  if (slower.length === 0) return;
  process.stderr.write(`${slower.length} slower by more than ${shareText ?? ""}: ${slower.map(({ figure }) => figure.id).join(", ")}\n`);
  process.exitCode = 1;
}

/** Engines that became slower: by their ratio to NumPy, or else PyTorch, or else by time. */
export function slowerEngines(figures: readonly ComparedFigure[], share: number): readonly ComparedFigure[] {
  return figures.filter(({ figure, ms, ratios }) => {
    const { speedUp, verdict } = ratios.numpy ?? ratios.torch ?? ms;
    return figure.group === "engine" && verdict === "slower" && speedUp < 1 / (1 + share);
  });
}
