import { totalWeight } from "../exact/weight.js";
import type { Share } from "../strategies/strategy.js";
import { isFloatDtype } from "../tensor.js";
import type { FoldInit, FoldUpdate } from "./arithmetic.js";

/** What goes into the sums of one tensor. */
export interface TensorTotals {
  /** Updates that count for the tensor, as indices into the list of updates, ascending. */
  readonly senders: readonly number[];
  /** Contributors behind them that are known one by one. */
  readonly contributors: number;
  /** Whether there is a combined value; otherwise the tensor stays as the base has it. */
  readonly isCombined: boolean;
  /** The divisor. */
  readonly weight: number;
  /**
   * Factor on the base in base + Σ factor × (value - base) / Σ weight: 1 for differences, 0 where factors and weights are the
   * same.
   */
  readonly baseFactor: number;
}

/** Adds up who counts for each tensor of the model, with the same bits whatever the order or tree of updates. */
export function foldTotals({ tensors, updates, combine, combines, isDifference }: FoldInit): readonly TensorTotals[] {
  const divisor = combine.kind === "mean" ? combine.divisor : undefined;
  // Most tensors have the same senders, so each set of them is added up once.
  const known = new Map<string, TensorTotals>();
  return tensors.map((spec, tensor) => {
    const isWanted = combines?.(spec) !== false;
    let senders: number[] = [];
    for (const [i, update] of updates.entries()) if (isWanted && countsFor(update, tensor)) senders.push(i);
    // Integers are means by weight whatever the divisor: of no weight there is none.
    if (!isFloatDtype(spec.dtype) && !sharesBehind(updates, senders, tensor).some((each) => each.weight !== 0)) senders = [];
    const hasSums = senders.some((i) => updates[i]?.sums !== undefined);
    const key = `${hasSums ? tensor : ""}/${isWanted && isFloatDtype(spec.dtype)}/${senders.join()}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const behind = sharesBehind(updates, senders, tensor);
    const weight = divisor ?? totalWeight(behind.map((each) => each.weight));
    const factor = totalWeight(behind.map((each) => each.factor));
    const totals = {
      senders,
      contributors: senders.reduce((sum, i) => sum + namedSenders(updates[i], tensor), 0),
      isCombined: senders.length > 0 || (divisor !== undefined && isWanted && isFloatDtype(spec.dtype)),
      weight,
      baseFactor: isDifference ? 1 : weight === factor || combine.kind !== "mean" ? 0 : 1 - factor / weight,
    };
    known.set(key, totals);
    return totals;
  });
}

function sharesBehind(updates: readonly FoldUpdate[], senders: readonly number[], tensor: number): readonly Share[] {
  return senders.flatMap((i) => {
    const update = updates[i];
    return update === undefined ? [] : sharesOf(update, tensor);
  });
}

function namedSenders(update: FoldUpdate | undefined, tensor: number): number {
  return update?.sums?.named.filter((each) => !each.absent.has(tensor) && hasShare(each)).length ?? 1;
}

/** The shares that an update brings to a tensor; of contributors that are known only together, one. */
export function sharesOf(update: FoldUpdate, tensor: number): readonly Share[] {
  const { sums } = update;
  if (sums === undefined) return [update];
  const together = sums.together.map(({ weights }): Share => ({ factor: weights[tensor] ?? 0, weight: weights[tensor] ?? 0 }));
  // Those whom the strategy left out are named in sums and add nothing to them.
  return [...sums.named.filter(({ absent }) => !absent.has(tensor)), ...together].filter(hasShare);
}

/** Whether an update, or anybody behind it, counts for a tensor: has sent it, and was not left out by the strategy. */
export function countsFor(update: FoldUpdate, tensor: number): boolean {
  if (update.stored[tensor] === undefined) return false;
  return sharesOf(update, tensor).some(hasShare);
}

function hasShare({ factor, weight }: Share): boolean {
  return factor !== 0 || weight !== 0;
}
