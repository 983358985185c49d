import { totalWeight } from "../exact/weight.js";
import type { Share } from "../strategies/strategy.js";
import { isFloatDtype } from "../tensor.js";
import type { FoldInit, FoldUpdate } from "./arithmetic.js";

/** What goes into the sums of one tensor. */
export interface TensorTotals {
  /** Updates that count for the tensor, as indices into the list of updates, ascending. */
  readonly senders: readonly number[];
  /** Contributors behind them. */
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
    if (!isFloatDtype(spec.dtype) && !senders.some((i) => contributorsOf(updates[i], tensor).some((each) => each.weight !== 0)))
      senders = [];
    const hasSums = senders.some((i) => updates[i]?.sums !== undefined);
    const key = `${hasSums ? tensor : ""}/${isWanted && isFloatDtype(spec.dtype)}/${senders.join()}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const behind = senders.flatMap((i) => contributorsOf(updates[i], tensor));
    const weight = divisor ?? totalWeight(behind.map((each) => each.weight));
    const factor = totalWeight(behind.map((each) => each.factor));
    const totals = {
      senders,
      contributors: behind.length,
      isCombined: senders.length > 0 || (divisor !== undefined && isWanted && isFloatDtype(spec.dtype)),
      weight,
      baseFactor: isDifference ? 1 : weight === factor || combine.kind !== "mean" ? 0 : 1 - factor / weight,
    };
    known.set(key, totals);
    return totals;
  });
}

function contributorsOf(update: FoldUpdate | undefined, tensor: number): readonly Share[] {
  if (update === undefined) return [];
  // Those whom the strategy left out are named in sums and add nothing to them.
  return update.sums?.filter((each) => !each.absent.has(tensor) && hasShare(each)) ?? [update];
}

/** Whether an update, or anybody behind it, counts for a tensor: has sent it, and was not left out by the strategy. */
export function countsFor(update: FoldUpdate, tensor: number): boolean {
  if (update.stored[tensor] === undefined) return false;
  return update.sums === undefined ? hasShare(update) : contributorsOf(update, tensor).length > 0;
}

function hasShare({ factor, weight }: Share): boolean {
  return factor !== 0 || weight !== 0;
}
