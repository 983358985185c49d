import { takesStep } from "./plain-tensors.js";
import type { ServerStep } from "./strategy.js";

/**
 * The step that multiplies the change by a server's learning rate, for the tensors that `takesStep` names; none for a rate
 * of 1.
 */
export function scaleChange(learningRate: number, plainTensors: readonly string[] | undefined): ServerStep | undefined {
  if (learningRate === 1) return undefined;
  return {
    stateNames: [],
    appliesTo: takesStep(plainTensors),
    apply({ change }) {
      for (let i = 0; i < change.length; i++) change[i] = learningRate * (change[i] as number);
    },
  };
}
