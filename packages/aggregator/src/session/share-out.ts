import { FlareError, limits } from "@flare-ts/contracts/errors";
import { exactFactor } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import type { ContributorFacts, Share } from "../strategies/strategy.js";
import { isFloatDtype } from "../tensor.js";
import type { Arithmetic, ReadableUpdate, TakeNote } from "./arithmetic.js";
import type { FinishSettings } from "./session-settings.js";

/** Most contributors whose distances are measured: their number goes with the square. */
const maxDistances = limits.comparedContributors;

/**
 * Asks the strategy for the share of each update; those of sums are zeros, since their contributors had theirs before.
 *
 * @throws `aggregate/strategy-unfit`, `aggregate/update-incomplete`, `aggregate/out-of-range`
 */
export async function shareOut(
  arithmetic: Arithmetic,
  init: Pick<FinishSettings, "strategy" | "updates" | "model" | "paramsType" | "announced" | "finish"> & {
    readonly sources: readonly ReadableUpdate[];
    readonly base: ReadableUpdate | undefined;
    readonly note: TakeNote;
  },
): Promise<readonly Share[]> {
  const { strategy, updates, announced } = init;
  const own = updates.flatMap((update, i) => (update.sums === undefined ? [i] : []));
  const shares = updates.map((): Share => ({ factor: 0, weight: 0 }));
  const weighed =
    strategy.weigh === undefined || own.length === 0
      ? own.map((i): Share => ({ factor: updates[i]?.weight ?? 0, weight: updates[i]?.weight ?? 0 }))
      : strategy.weigh(await factsOf(arithmetic, init, own));
  if (weighed.length !== own.length) throw unfit(strategy.name, `gave ${weighed.length} shares for ${own.length} contributors`);
  for (const [index, i] of own.entries()) {
    const { factor, weight } = weighed[index] ?? { factor: Number.NaN, weight: Number.NaN };
    const name = updates[i]?.name ?? "";
    if (!Number.isFinite(factor) || !Number.isFinite(weight) || weight < 0) {
      throw unfit(strategy.name, `gave ${quoted(name)} the share ${factor} of ${weight}`);
    }
    const share = { factor: exactFactor(factor), weight: exactFactor(weight) };
    if (announced !== undefined && Math.abs(share.factor) > (updates[i]?.weight ?? 0)) {
      throw unfit(strategy.name, `gave ${quoted(name)} more than its weight, for which no scale was announced`);
    }
    shares[i] = share;
  }
  // With a divisor of the strategy's own, weights count for nothing.
  const hasDivisor = strategy.combine.kind === "mean" && strategy.combine.divisor !== undefined;
  const isLeftOut = ({ factor, weight }: Share): boolean => weight === 0 && (!hasDivisor || factor === 0);
  if (own.length > 0 && own.length === updates.length && shares.every(isLeftOut)) {
    throw unfit(strategy.name, "left every contributor out");
  }
  return shares;
}

async function factsOf(
  arithmetic: Arithmetic,
  init: Parameters<typeof shareOut>[1],
  own: readonly number[],
): Promise<{ readonly contributors: readonly ContributorFacts[]; readonly squaredDistances: Float64Array | undefined }> {
  const { strategy, updates, model, paramsType, sources, base, finish, note } = init;
  const { tensors } = model;
  const { signal } = finish;
  const sourceOf = (i: number): ReadableUpdate => sources[i] as ReadableUpdate;
  const norms: (number | undefined)[] = [];
  for (const i of own) {
    if (strategy.needs.norms !== true) norms.push(undefined);
    else if (paramsType === "DIFF") norms.push(updates[i]?.norm);
    else if (base !== undefined)
      norms.push(Math.sqrt((await arithmetic.distances({ tensors, sources: [sourceOf(i), base], note, signal }))[1] ?? 0));
  }
  let squaredDistances: Float64Array | undefined;
  if (strategy.needs.distances === true) {
    if (own.length > maxDistances)
      throw unfit(strategy.name, `measures distances between at most ${maxDistances} contributors, not ${own.length}`);
    requireSameTensors(init, own);
    squaredDistances = await arithmetic.distances({ tensors, sources: own.map(sourceOf), note, signal });
  }
  const contributors = own.map((i, index) => {
    const { name = "", weight = 0, staleness = 0 } = updates[i] ?? {};
    return { contributor: name, weight, staleness, norm: norms[index] };
  });
  return { contributors, squaredDistances };
}

/** Distances between updates with different tensors would say nothing. */
function requireSameTensors({ updates, model, strategy }: Parameters<typeof shareOut>[1], own: readonly number[]): void {
  for (const [tensor, { name, dtype }] of model.tensors.entries()) {
    const [without] = own.filter((i) => updates[i]?.stored[tensor] === undefined);
    if (without === undefined || !isFloatDtype(dtype) || own.every((i) => updates[i]?.stored[tensor] === undefined)) continue;
    const contributor = updates[without]?.name ?? "";
    throw new FlareError(
      "aggregate/update-incomplete",
      `${strategy.name} compares whole updates, and that of ${quoted(contributor)} lacks tensor ${quoted(name)}.`,
      {
        facts: { contributor, tensor: name.slice(0, limits.peerTextChars) },
      },
    );
  }
}

function unfit(strategy: string, what: string): FlareError {
  return new FlareError("aggregate/strategy-unfit", `The strategy ${strategy} ${what}.`, { facts: { strategy } });
}
