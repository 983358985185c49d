import type { Dtype, TensorSpec } from "@flare-ts/aggregator";
import { StateDict } from "./state-dict.ts";

export interface Gpt2Sizes {
  readonly layers: number;
  readonly width: number;
}

/**
 * The state dict of Hugging Face's `GPT2Model`, whose output layer is the embedding again.
 *
 * @see Radford et al., "Language Models are Unsupervised Multitask Learners", 2019
 */
export function gpt2Tensors({ layers, width }: Gpt2Sizes, dtype: Dtype): readonly TensorSpec[] {
  const dict = new StateDict(dtype);
  // Its layers are kept the other way round than linear ones: inputs first.
  const conv1d = (name: string, inputs: number, outputs: number): void => {
    dict.add(`${name}.weight`, inputs, outputs);
    dict.add(`${name}.bias`, outputs);
  };
  dict.add("wte.weight", 50_257, width);
  dict.add("wpe.weight", 1024, width);
  for (let i = 0; i < layers; i++) {
    dict.addNorm(`h.${i}.ln_1`, width);
    conv1d(`h.${i}.attn.c_attn`, width, 3 * width);
    conv1d(`h.${i}.attn.c_proj`, width, width);
    dict.addNorm(`h.${i}.ln_2`, width);
    conv1d(`h.${i}.mlp.c_fc`, width, 4 * width);
    conv1d(`h.${i}.mlp.c_proj`, 4 * width, width);
  }
  dict.addNorm("ln_f", width);
  return dict.tensors;
}
