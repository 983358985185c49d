import { FlareError } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import { adaptiveStep, momentumStep, varianceRules } from "./fed-opt-steps.js";
import { flagRule, namesRule, numberRule, optionalNumberRule, readSettings, shownSettings } from "./setting-rules.js";
import type { ServerStep, Strategy } from "./strategy.js";

interface OptimizerSettings {
  /** Server's learning rate η, above 0 and at most 1000. The papers tune it for each model and give no default for all. */
  readonly learningRate: number;
  /**
   * Exact names of floating tensors that are plainly averaged. @default those whose names end in `running_mean`,
   * `running_var` or `num_batches_tracked`
   */
  readonly plainTensors?: readonly string[];
}

interface AdaptiveSettings extends OptimizerSettings {
  /** Decay β1 of the momentum, at least 0 and below 1; at 0 no momentum is kept. @default 0.9; 0 for Adagrad */
  readonly beta1?: number;
  /** Degree of adaptivity τ, above 0 and at most 1; what torch calls eps. @default 0.001 */
  readonly tau?: number;
  /** The variance v before the first round, at least 0; the algorithm asks for τ² or more. @default τ²; 0 with bias correction */
  readonly initialVariance?: number;
}

export interface FedSgdSettings extends OptimizerSettings {
  readonly optimizer: "sgd";
  /** Decay of the momentum, at least 0 and below 1; at 0 none is kept. @default 0 */
  readonly momentum?: number;
}

export interface FedAdagradSettings extends AdaptiveSettings {
  readonly optimizer: "adagrad";
}

export interface FedYogiSettings extends AdaptiveSettings {
  readonly optimizer: "yogi";
  /** Decay β2 of the variance, at least 0 and below 1. @default 0.99 */
  readonly beta2?: number;
}

export interface FedAdamSettings extends AdaptiveSettings {
  readonly optimizer: "adam";
  /** Decay β2 of the variance, at least 0 and below 1. @default 0.99 */
  readonly beta2?: number;
  /** Divides m by 1 - β1^t and v by 1 - β2^t, as Adam does and the paper does not. @default false */
  readonly biasCorrection?: boolean;
}

export type FedOptSettings = FedSgdSettings | FedAdagradSettings | FedYogiSettings | FedAdamSettings;

const decay = { atLeast: 0, below: 1 };
const common = { learningRate: numberRule({ above: 0, atMost: 1000 }), plainTensors: namesRule() };
const adaptive = { tau: numberRule({ above: 0, atMost: 1 }, 1e-3), initialVariance: optionalNumberRule({ atLeast: 0, atMost: 1e6 }) };

/** Settings of each optimizer. */
export const fedOptRules = {
  sgd: { ...common, momentum: numberRule(decay, 0) },
  adagrad: { ...common, ...adaptive, beta1: numberRule(decay, 0) },
  yogi: { ...common, ...adaptive, beta1: numberRule(decay, 0.9), beta2: numberRule(decay, 0.99) },
  adam: { ...common, ...adaptive, beta1: numberRule(decay, 0.9), beta2: numberRule(decay, 0.99), biasCorrection: flagRule(false) },
};

/**
 * FedOpt: the weighted mean of the contributors' changes, Δ, is what an optimizer on the server steps along. With the
 * optimizer's name as `optimizer`:
 *
 *     sgd      m ← momentum · m + Δ                                      x ← x + η m
 *     others   m ← β1 m + (1 - β1) Δ                                     x ← x + η m / (√v + τ)
 *       adagrad  v ← v + Δ²
 *       yogi     v ← v - (1 - β2) Δ² sign(v - Δ²)
 *       adam     v ← β2 v + (1 - β2) Δ²
 *
 * Takes FULL and DIFF; needs a base. Costs one pass over the updates, and a float32 tensor of state for m and for v, as far as
 * they are kept, which lasts from round to round. Integer tensors and those that `plainTensors` names are plainly averaged.
 *
 * Compared with `torch.optim` on the pseudo-gradient -Δ, which FLARE's FedOpt uses: `sgd` is torch's SGD with dampening 0.
 * `adam` with bias correction, β2 = 0.999 and τ = 1e-8 is torch's Adam: τ is added to the root of the corrected variance.
 * Without the correction the first steps differ, as m and v begin near 0. Torch's Adagrad is `adagrad` with τ = 1e-10 and an
 * initial variance of 0; torch has no Yogi. Weight decay, Nesterov momentum and schedules of η are not part of this.
 *
 * @see Reddi, Charles, Zaheer, Garrett, Rush, Konečný, Kumar, McMahan, "Adaptive Federated Optimization", ICLR 2021,
 *   Algorithm 2
 * @throws `aggregate/strategy-invalid`
 */
export function fedOpt(settings: FedOptSettings): Strategy {
  const { optimizer, ...given } = settings;
  const { name, settings: read, step } = made(optimizer, given);
  return Object.freeze({ name, settings: shownSettings(read), needs: {}, combine: { kind: "mean" }, step } as const);
}

interface Made {
  readonly name: string;
  readonly settings: object;
  readonly step: ServerStep;
}

function made(optimizer: FedOptSettings["optimizer"], given: object): Made {
  switch (optimizer) {
    case "sgd": {
      const settings = readSettings("fed-avg-m", fedOptRules.sgd, given);
      return { name: "fed-avg-m", settings, step: momentumStep(settings) };
    }
    case "adagrad": {
      const settings = withVariance(readSettings("fed-adagrad", fedOptRules.adagrad, given), false);
      return { name: "fed-adagrad", settings, step: adaptiveStep({ ...settings, rule: varianceRules.adagrad }) };
    }
    case "yogi": {
      const settings = withVariance(readSettings("fed-yogi", fedOptRules.yogi, given), false);
      return { name: "fed-yogi", settings, step: adaptiveStep({ ...settings, rule: varianceRules.yogi(settings.beta2) }) };
    }
    case "adam": {
      const read = readSettings("fed-adam", fedOptRules.adam, given);
      const settings = withVariance(read, read.biasCorrection);
      const step = adaptiveStep({ ...settings, rule: varianceRules.adam(settings.beta2) });
      return { name: "fed-adam", settings, step };
    }
    default:
      throw new FlareError(
        "aggregate/strategy-invalid",
        `Setting "optimizer" of fedOpt is ${quoted(String(optimizer))}; it must be "sgd", "adam", "yogi" or "adagrad".`,
        { facts: { strategy: "fedOpt", settings: ["optimizer"] } },
      );
  }
}

/** The correction takes away the weight of a beginning at 0, so it means nothing with any other. */
function withVariance<Settings extends { readonly tau: number; readonly initialVariance: number | undefined }>(
  settings: Settings,
  isCorrected: boolean,
): Settings & { readonly initialVariance: number } {
  const { tau, initialVariance = isCorrected ? 0 : tau ** 2 } = settings;
  if (isCorrected && initialVariance !== 0) {
    throw new FlareError(
      "aggregate/strategy-invalid",
      `Setting "initialVariance" of fed-adam is ${initialVariance}; with biasCorrection it must be 0 or left out.`,
      { facts: { strategy: "fed-adam", settings: ["initialVariance"] } },
    );
  }
  return { ...settings, initialVariance };
}
