import { initialModel, type Model } from "../job/app/custom/model.ts";
import { runRound, type SiteRows } from "../job/app/custom/round.ts";
import { featureNames } from "../job/app/custom/table.ts";

/** Rounds that a federation takes; the first measures, the others train. As in `config_fed_server.json`. */
export const rounds = 15;

/** Sites by name. One site alone is the same thing with nothing to average. */
export type Sites = Readonly<Record<string, SiteRows>>;

/**
 * Runs the rounds of the job in this process, with averages in plain arithmetic: the same rows and steps as in the federation,
 * without its processes, so that a model trained by it can be compared with others.
 */
export function simulate(sites: Sites): Model {
  let model = initialModel(featureNames.length);
  for (let round = 0; round < rounds; round += 1) {
    const updates = Object.entries(sites).map(([name, rows]) => ({
      model: runRound(model, rows, round, name).model,
      weight: rows.training.length,
    }));
    model = average(updates);
  }
  return model;
}

function average(updates: readonly { readonly model: Model; readonly weight: number }[]): Model {
  const total = updates.reduce((sum, { weight }) => sum + weight, 0);
  const part = (key: keyof Model): Float64Array => {
    const sum = new Float64Array(updates[0]?.model[key].length ?? 0);
    for (const { model, weight } of updates) {
      model[key].forEach((value, i) => {
        sum[i] = (sum[i] ?? 0) + value * (weight / total);
      });
    }
    return sum;
  };
  return { mean: part("mean"), square: part("square"), weight: part("weight"), bias: part("bias") };
}
