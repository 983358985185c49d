import type { TensorSpec } from "@flare-ts/aggregator";

/** Shapes of models to measure with. */
export const layoutNames = ["flat", "160", "resnet50"] as const;

export type LayoutName = (typeof layoutNames)[number];

/** The tensors of a layout; `params` counts float32 elements, and resnet50 has its own number of them. */
export function layoutTensors(name: LayoutName, params: number): readonly TensorSpec[] {
  if (name === "resnet50") return resnet50();
  const count = name === "flat" ? 1 : 160;
  return Array.from({ length: count }, (_, i) => {
    const begin = Math.floor((params * i) / count);
    return { name: `layer.${i}.weight`, dtype: "F32", shape: [Math.floor((params * (i + 1)) / count) - begin] };
  });
}

/** Names and shapes of torchvision's ResNet-50, with the running statistics of its normalisations: 320 tensors. */
function resnet50(): readonly TensorSpec[] {
  const tensors: TensorSpec[] = [];
  const add = (name: string, ...shape: readonly number[]): void => {
    tensors.push({ name, dtype: "F32", shape });
  };
  const norm = (name: string, width: number): void => {
    for (const part of ["weight", "bias", "running_mean", "running_var"]) add(`${name}.${part}`, width);
    tensors.push({ name: `${name}.num_batches_tracked`, dtype: "I64", shape: [] });
  };
  add("conv1.weight", 64, 3, 7, 7);
  norm("bn1", 64);
  let input = 64;
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    const width = 64 * 2 ** stage;
    for (let block = 0; block < blocks; block++) {
      const name = `layer${stage + 1}.${block}`;
      add(`${name}.conv1.weight`, width, input, 1, 1);
      norm(`${name}.bn1`, width);
      add(`${name}.conv2.weight`, width, width, 3, 3);
      norm(`${name}.bn2`, width);
      add(`${name}.conv3.weight`, 4 * width, width, 1, 1);
      norm(`${name}.bn3`, 4 * width);
      if (block === 0) {
        add(`${name}.downsample.0.weight`, 4 * width, input, 1, 1);
        norm(`${name}.downsample.1`, 4 * width);
      }
      input = 4 * width;
    }
  }
  add("fc.weight", 1000, 2048);
  add("fc.bias", 1000);
  return tensors;
}
