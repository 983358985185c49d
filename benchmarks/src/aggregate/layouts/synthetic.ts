import type { Dtype, TensorSpec } from "@flare-ts/aggregator";

/** So many elements in so many tensors of nearly the same length. */
export function evenTensors(params: number, count: number, dtype: Dtype): readonly TensorSpec[] {
  return Array.from({ length: count }, (_, i) => {
    const begin = Math.floor((params * i) / count);
    return { name: `layer.${i}.weight`, dtype, shape: [Math.floor((params * (i + 1)) / count) - begin] };
  });
}
