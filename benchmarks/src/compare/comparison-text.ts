import { countText, millisecondsText, threeDigits } from "../result/number-text.ts";
import type { BenchResult } from "../result/result.ts";
import { textColumns } from "../result/text-columns.ts";
import { type Change, type Comparison, comparisonRule } from "./compare-results.ts";

/** A comparison for a terminal: what changed first. */
export function comparisonText(
  { figures, onlyBefore, onlyAfter, isSameMachine, otherSettings }: Comparison,
  { before, after }: { readonly before: BenchResult["environment"]; readonly after: BenchResult["environment"] },
): string {
  const heads = [`before: ${machineText(before)}`, `after:  ${machineText(after)}`, ""];
  if (otherSettings.length > 0) return [...heads, `Nothing can be compared: ${otherSettings.join(", ")} differ.`, ""].join("\n");
  const isChanged = ({ ms, ratios }: Comparison["figures"][number]): boolean =>
    [ms, ratios.numpy, ratios.torch].some((change) => change?.verdict === "faster" || change?.verdict === "slower");
  const rows = [...figures.filter(isChanged), ...figures.filter((each) => !isChanged(each))].map(({ figure, point, ms, ratios }) => [
    `${point.clients} x ${countText(point.params)}: ${figure.id}`,
    millisecondsText(ms.before),
    millisecondsText(ms.after),
    changeText(ms),
    ratioText(ratios.numpy),
    ratioText(ratios.torch),
  ]);
  const changed = figures.filter(isChanged).length;
  return [
    ...heads,
    ...(isSameMachine ? [] : ["Other machines: times cannot be compared, ratios to the baselines can.", ""]),
    ...textColumns([["", "ms before", "ms after", "speed", "x NumPy", "x PyTorch"], ...rows]),
    "",
    `${changed} of ${figures.length} figures changed: p < ${comparisonRule.mostProbable} by the Mann–Whitney test on all runs, and medians at least ${100 * comparisonRule.leastChange}% apart.`,
    ...[onlyBefore, onlyAfter].flatMap((keys, i) =>
      keys.length === 0 ? [] : [`Only ${i === 0 ? "before" : "after"}: ${keys.join("; ")}`],
    ),
    "",
  ].join("\n");
}

function machineText({ commit, isModified, date, cpu, cores, node }: BenchResult["environment"]): string {
  return `${commit.slice(0, 10)}${isModified ? " with changes" : ""}, ${date.slice(0, 16).replace("T", " ")}, ${cpu}, ${cores} cores, Node ${node}`;
}

function changeText({ speedUp, verdict }: Change): string {
  return `${threeDigits(speedUp)} x ${verdict}`;
}

function ratioText(change: Change | undefined): string {
  if (change === undefined) return "";
  const { before, after, verdict } = change;
  return `${threeDigits(before.median)} → ${threeDigits(after.median)} ${verdict}`;
}
