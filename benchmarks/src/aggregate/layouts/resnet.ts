import type { Dtype, TensorSpec } from "@flare-ts/aggregator";
import { StateDict } from "./state-dict.ts";

export interface ResnetSizes {
  /** Blocks of each of the four stages. */
  readonly blocks: readonly number[];
  /** Whether a block is a 1x1, a 3x3 and a 1x1 convolution that is four times as wide, instead of two 3x3 ones. */
  readonly isBottleneck: boolean;
}

/**
 * The state dict of torchvision's ResNets for 1000 classes, with the running statistics of their normalisations.
 *
 * @see He et al., "Deep Residual Learning for Image Recognition", CVPR 2016
 */
export function resnetTensors({ blocks, isBottleneck }: ResnetSizes, dtype: Dtype): readonly TensorSpec[] {
  const dict = new StateDict(dtype);
  const norm = (name: string, width: number): void => {
    dict.addNorm(name, width);
    dict.add(`${name}.running_mean`, width);
    dict.add(`${name}.running_var`, width);
    dict.addCounter(`${name}.num_batches_tracked`);
  };
  dict.add("conv1.weight", 64, 3, 7, 7);
  norm("bn1", 64);
  const expansion = isBottleneck ? 4 : 1;
  let input = 64;
  for (const [stage, count] of blocks.entries()) {
    const width = 64 * 2 ** stage;
    const output = expansion * width;
    const convolutions: readonly (readonly [output: number, input: number, size: number])[] = isBottleneck
      ? [
          [width, 0, 1],
          [width, width, 3],
          [output, width, 1],
        ]
      : [
          [width, 0, 3],
          [width, width, 3],
        ];
    for (let block = 0; block < count; block++) {
      const name = `layer${stage + 1}.${block}`;
      for (const [i, [outputs, inputs, size]] of convolutions.entries()) {
        dict.add(`${name}.conv${i + 1}.weight`, outputs, i === 0 ? input : inputs, size, size);
        norm(`${name}.bn${i + 1}`, outputs);
      }
      if (block === 0 && input !== output) {
        dict.add(`${name}.downsample.0.weight`, output, input, 1, 1);
        norm(`${name}.downsample.1`, output);
      }
      input = output;
    }
  }
  dict.addLinear("fc", 1000, input);
  return dict.tensors;
}
