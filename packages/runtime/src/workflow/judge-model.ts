import { meetsStopCondition, type RoundSettings } from "@flare-ts/contracts";
import type { Metrics } from "../job/job-event.js";

/** The best value of the key metric so far, and rounds since then that brought no better one. */
export interface BestSoFar {
  readonly value: number;
  readonly staleRounds: number;
}

/** The best value with one more; that it is a better one shows by `staleRounds` 0. */
export function withValue(
  best: BestSoFar | undefined,
  value: number,
  { isKeyMetricNegated }: Pick<RoundSettings, "isKeyMetricNegated">,
): BestSoFar {
  const isBetter = best === undefined || (isKeyMetricNegated ? value < best.value : value > best.value);
  return isBetter ? { value, staleRounds: 0 } : { value: best.value, staleRounds: best.staleRounds + 1 };
}

/** Why no round follows one that has closed; `undefined` where one does. */
export function endReasonAfter(
  {
    settings,
    firstRound,
  }: { readonly settings: Pick<RoundSettings, "stopCondition" | "patience" | "keyMetric" | "numRounds">; readonly firstRound: number },
  best: BestSoFar | undefined,
  { round, metrics }: { readonly round: number; readonly metrics: Metrics },
): string | undefined {
  const { stopCondition, patience, keyMetric, numRounds } = settings;
  const value = stopCondition === undefined ? undefined : metrics[stopCondition.metric];
  if (stopCondition !== undefined && value !== undefined && meetsStopCondition(stopCondition, value)) {
    return `${stopCondition.metric} ${stopCondition.comparison} ${stopCondition.value} came true in round ${round} with ${value}`;
  }
  if (patience !== undefined && best !== undefined && best.staleRounds >= patience) {
    return `no better ${keyMetric} than ${best.value} in ${patience} ${patience === 1 ? "round" : "rounds"}`;
  }
  return round + 1 >= firstRound + numRounds ? `all ${numRounds} rounds are done` : undefined;
}
