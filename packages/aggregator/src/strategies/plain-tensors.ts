import type { TensorSpec } from "../safetensors/layout.js";

const runningStatistics = ["running_mean", "running_var", "num_batches_tracked"];

/**
 * Which floating tensors a server's step is taken for. Running statistics of batch normalisation are measured, not trained, so
 * an optimizer has no business with them: tensors whose names end in `running_mean`, `running_var` or `num_batches_tracked`
 * are plainly averaged.
 *
 * @param plainTensors - exact names of the tensors that are plainly averaged, instead of that rule
 */
export function takesStep(plainTensors: readonly string[] | undefined): (tensor: TensorSpec) => boolean {
  if (plainTensors === undefined) return ({ name }) => !runningStatistics.some((ending) => name.endsWith(ending));
  const plain = new Set(plainTensors);
  return ({ name }) => !plain.has(name);
}
