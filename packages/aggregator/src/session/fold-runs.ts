import { FlareError } from "@flare-ts/contracts/errors";
import type { TensorPlace } from "../safetensors/layout.js";
import type { Share, Strategy } from "../strategies/strategy.js";
import type { FoldInit, FoldStep, FoldUpdate, ReadableUpdate, TakeNote } from "./arithmetic.js";
import { countsFor, foldTotals, type TensorTotals } from "./fold-totals.js";
import type { FinishSettings, SessionComponents } from "./session-settings.js";
import { shareOut } from "./share-out.js";
import { UpdateFindings } from "./update-findings.js";

/** What is folded, one after the other: consecutive tensors of a model that are combined by the same strategy. */
export interface FoldRuns {
  readonly folds: readonly FoldInit[];
  /** Updates with the shares that the session's own strategy gives them, whatever its parts do. */
  readonly updates: readonly FoldUpdate[];
  /** By tensor of the model. */
  readonly totals: readonly TensorTotals[];
}

export interface FoldRunsInit {
  /** Of the updates, in their order. */
  readonly sources: readonly ReadableUpdate[];
  readonly base: ReadableUpdate | undefined;
  /** That of the session's own strategy; parts keep no state. */
  readonly step: FoldStep | undefined;
  readonly note: TakeNote;
}

/**
 * Shares out for the strategy and for each of its parts, and cuts the model where another of them begins; it stays in one piece
 * where there are no parts.
 *
 * @throws as `shareOut`, and `aggregate/base-missing`
 */
export async function foldRuns(components: SessionComponents, init: FinishSettings, given: FoldRunsInit): Promise<FoldRuns> {
  const { strategy, model, paramsType, announced, finish, result } = init;
  const shared = new Map([[strategy, await sharedUpdates(components, init, given)]]);
  const folds: FoldInit[] = [];
  const totals: TensorTotals[] = [];
  for (const { own, from, to } of runsOf(strategy, model.tensors)) {
    const updates = shared.get(own) ?? (await sharedUpdates(components, { ...init, strategy: own }, given));
    shared.set(own, updates);
    // What only those sent whom the strategy left out is as if nobody had; sums name them, and so have sums of zero.
    const isSent = (tensor: number): boolean =>
      updates.some((update) => (result === "sums" ? update.stored[tensor] !== undefined : countsFor(update, tensor)));
    const stepOfPart = own.step === undefined ? undefined : { step: own.step, state: [], stepNumber: 1 };
    const fold: FoldInit = {
      tensors: model.tensors,
      updates,
      combine: own.combine,
      combines: own.combines,
      announced,
      base: given.base,
      isDifference: paramsType === "DIFF",
      isIncluded: (tensor) => tensor >= from && tensor < to && (finish.base !== undefined || isSent(tensor)),
      step: own === strategy ? given.step : stepOfPart,
      result,
      note: given.note,
      signal: finish.signal,
    };
    folds.push(fold);
    totals.push(...foldTotals(fold).slice(from, to));
  }
  return { folds, updates: shared.get(strategy) ?? [], totals };
}

interface TensorRun {
  readonly own: Strategy;
  /** Index of the first tensor, and of the first that does not belong to it. */
  readonly from: number;
  readonly to: number;
}

function runsOf(strategy: Strategy, tensors: readonly TensorPlace[]): readonly TensorRun[] {
  const owners = tensors.map((tensor) => strategy.parts?.find((part) => part.has(tensor))?.strategy ?? strategy);
  const starts = owners.flatMap((own, tensor) => (tensor === 0 || own !== owners[tensor - 1] ? [tensor] : []));
  return starts.map((from, run) => ({ own: owners[from] ?? strategy, from, to: starts[run + 1] ?? tensors.length }));
}

async function sharedUpdates(
  { arithmetic }: SessionComponents,
  init: FinishSettings,
  { sources, base, note }: FoldRunsInit,
): Promise<readonly FoldUpdate[]> {
  const { model, announced, updates } = init;
  const shares = await shareOut(arithmetic, { ...init, sources, base, note });
  requireBase(init, shares);
  return updates.map((update, i): FoldUpdate => {
    const share = shares[i] ?? { factor: 0, weight: 0 };
    const findings = new UpdateFindings({
      tensors: model.tensors,
      contributor: update.name,
      announced: announced === undefined ? undefined : { factor: share.factor, gridBits: announced },
    });
    const isChecked = update.norm !== undefined;
    return {
      ...(sources[i] as ReadableUpdate),
      contributor: update.name,
      ...share,
      findings: isChecked ? undefined : findings,
      maxima: update.maxima,
      sums: update.sums,
    };
  });
}

/** A whole model that counts with more or less than its weight moves the base, which has to be known then. */
function requireBase({ strategy, paramsType, updates, finish, result }: FinishSettings, shares: readonly Share[]): void {
  if (finish.base !== undefined || result === "sums" || paramsType === "DIFF" || strategy.combine.kind !== "mean") return;
  const behind = updates.flatMap(({ sums }, i) => sums?.named ?? shares[i] ?? []);
  if (behind.every(({ factor, weight }) => factor === weight)) return;
  throw new FlareError("aggregate/base-missing", `${strategy.name} needs the global model that updates were trained from.`);
}
