import { takesStep } from "./plain-tensors.js";
import type { ServerStep, StepBlock } from "./strategy.js";

/** The variance after a change, given the one before it. */
export type VarianceRule = (before: number, squaredChange: number) => number;

/** How each optimizer of FedOpt follows the squares of the changes. */
export const varianceRules = {
  adagrad: ((before, squared) => before + squared) as VarianceRule,
  yogi:
    (beta2: number): VarianceRule =>
    (before, squared) =>
      before - (1 - beta2) * squared * Math.sign(before - squared),
  adam:
    (beta2: number): VarianceRule =>
    (before, squared) =>
      beta2 * before + (1 - beta2) * squared,
};

interface MomentumStepInit {
  readonly learningRate: number;
  readonly momentum: number;
  readonly plainTensors: readonly string[] | undefined;
}

/** A step along the momentum, which is the sum of all changes, each `momentum` times less for every step since. */
export function momentumStep({ learningRate, momentum, plainTensors }: MomentumStepInit): ServerStep {
  return {
    stateNames: momentum === 0 ? [] : ["momentum"],
    appliesTo: takesStep(plainTensors),
    apply({ change, state: [kept] }) {
      for (let i = 0; i < change.length; i++) {
        const moment = (kept === undefined ? 0 : momentum * (kept[i] as number)) + (change[i] as number);
        if (kept !== undefined) kept[i] = moment;
        change[i] = learningRate * moment;
      }
    },
  };
}

interface AdaptiveStepInit {
  readonly learningRate: number;
  readonly beta1: number;
  readonly tau: number;
  readonly initialVariance: number;
  readonly rule: VarianceRule;
  /** Given where moments are corrected for their beginning at 0. */
  readonly beta2?: number;
  readonly biasCorrection?: boolean;
  readonly plainTensors: readonly string[] | undefined;
}

/** A step along the mean of the changes, divided by the root of their variance. */
export function adaptiveStep(init: AdaptiveStepInit): ServerStep {
  const { learningRate, beta1, tau, initialVariance, rule, beta2 = 0, biasCorrection = false, plainTensors } = init;
  return {
    stateNames: beta1 === 0 ? ["variance"] : ["variance", "momentum"],
    appliesTo: takesStep(plainTensors),
    apply({ change, state, stepNumber }: StepBlock) {
      const [variances, moments] = state as [Float64Array, Float64Array | undefined];
      const momentScale = biasCorrection ? 1 / (1 - beta1 ** stepNumber) : 1;
      const varianceScale = biasCorrection ? 1 / (1 - beta2 ** stepNumber) : 1;
      for (let i = 0; i < change.length; i++) {
        const delta = change[i] as number;
        const variance = rule(stepNumber === 1 ? initialVariance : (variances[i] as number), delta * delta);
        const moment = moments === undefined ? delta : beta1 * (moments[i] as number) + (1 - beta1) * delta;
        variances[i] = variance;
        if (moments !== undefined) moments[i] = moment;
        change[i] = (learningRate * moment * momentScale) / (Math.sqrt(variance * varianceScale) + tau);
      }
    },
  };
}
