import { FlareError } from "@flare-ts/contracts/errors";
import { isScaffoldControl } from "../safetensors/scaffold-names.js";
import { scaleChange } from "./scale-change.js";
import { choiceRule, namesRule, numberRule, readSettings, shownSettings } from "./setting-rules.js";
import { sampleShares, uniformShares, type Weighting, weightings } from "./shares.js";
import type { Strategy } from "./strategy.js";

export interface ScaffoldModelSettings {
  /** Global step size η_g, above 0 and at most 1000. @default 1 */
  readonly globalLearningRate?: number;
  /** `uniform` is the paper's; FLARE weighs with numbers of samples. @default "uniform" */
  readonly weighting?: Weighting;
  /** As in `FedSgdSettings`; only a rate other than 1 makes a difference to them. */
  readonly plainTensors?: readonly string[];
}

export interface ScaffoldControlSettings {
  /** All sites N of the job, whether or not they take part in a round; a whole number of at least 1 and at most 1000000. */
  readonly totalClients: number;
}

export type ScaffoldRoundSettings = ScaffoldModelSettings & ScaffoldControlSettings;

export const scaffoldModelRules = {
  globalLearningRate: numberRule({ above: 0, atMost: 1000 }, 1),
  weighting: choiceRule(weightings, "uniform"),
  plainTensors: namesRule(),
};

export const scaffoldControlRules = { totalClients: numberRule({ atLeast: 1, atMost: 1e6, isWhole: true }) };

export const scaffoldRoundRules = { ...scaffoldModelRules, ...scaffoldControlRules };

/**
 * SCAFFOLD's model on the server: of the sites S that took part and their models y_i,
 *
 *     x ← x + η_g / |S| · Σ (y_i - x)
 *
 * Takes FULL, y_i, and DIFF, y_i - x; needs a base for DIFF and for a step size other than 1. Costs one pass over the updates. The
 * control variates that go with it are aggregated by `scaffoldControl`, and both together by `scaffoldRound`.
 *
 * @see Karimireddy, Kale, Mohri, Reddi, Stich, Suresh, "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning",
 *   ICML 2020, Algorithm 1
 * @throws `aggregate/strategy-invalid`
 */
export function scaffoldModel(settings: ScaffoldModelSettings = {}): Strategy {
  const read = readSettings("scaffold", scaffoldModelRules, settings);
  return Object.freeze({
    name: "scaffold",
    settings: shownSettings(read),
    needs: {},
    combine: { kind: "mean" },
    weigh: read.weighting === "samples" ? sampleShares : uniformShares,
    step: scaleChange(read.globalLearningRate, read.plainTensors),
  } as const);
}

/**
 * SCAFFOLD's control variate on the server, which stays the mean of those of all N sites, as the others do not change:
 *
 *     c ← c + |S| / N · (1 / |S|) Σ Δc_i = c + Σ Δc_i / N
 *
 * Takes DIFF, the changes Δc_i of the sites' control variates, and FULL, c + Δc_i, which float32 rounds where Δc_i is much smaller than
 * c; needs c as the base. Costs one pass over the updates. More contributors than `totalClients` are refused with
 * `aggregate/strategy-unfit`.
 *
 * @see Karimireddy et al., ICML 2020, Algorithm 1
 * @throws `aggregate/strategy-invalid`
 */
export function scaffoldControl(settings: ScaffoldControlSettings): Strategy {
  const read = readSettings("scaffold-control", scaffoldControlRules, settings);
  const { totalClients } = read;
  return Object.freeze({
    name: "scaffold-control",
    settings: shownSettings(read),
    needs: {},
    combine: { kind: "mean", divisor: totalClients },
    weigh: (facts) => {
      const contributors = facts.contributors.length;
      if (contributors > totalClients) {
        throw new FlareError(
          "aggregate/strategy-unfit",
          `${contributors} sites sent control variates, but totalClients of scaffold-control is ${totalClients}.`,
          { facts: { strategy: "scaffold-control", contributors, totalClients } },
        );
      }
      return uniformShares(facts);
    },
  } as const satisfies Strategy);
}

/**
 * A round of SCAFFOLD on the server, of files that hold the model and, under `scaffoldControlPrefix`, the control variates: the first as
 * `scaffoldModel` has it, the others as `scaffoldControl` has them. `weighting` is for the model alone: c stays the mean of all sites'
 * control variates.
 *
 * Takes FULL and DIFF; needs a base. Costs one pass over the updates, which are twice as large as the model.
 *
 * @see Karimireddy et al., ICML 2020, Algorithm 1
 * @throws `aggregate/strategy-invalid`
 */
export function scaffoldRound(settings: ScaffoldRoundSettings): Strategy {
  const { totalClients, ...ofModel } = readSettings("scaffold-round", scaffoldRoundRules, settings);
  const { plainTensors, ...rates } = ofModel;
  const model = scaffoldModel({ ...rates, ...(plainTensors === undefined ? {} : { plainTensors }) });
  return Object.freeze({
    ...model,
    name: "scaffold-round",
    settings: shownSettings({ ...ofModel, totalClients }),
    parts: Object.freeze([{ has: isScaffoldControl, strategy: scaffoldControl({ totalClients }) }]),
  });
}
