import type { Dtype, TensorSpec } from "@flare-ts/aggregator";
import { StateDict } from "./state-dict.ts";

export interface VitSizes {
  readonly layers: number;
  readonly width: number;
}

/**
 * The state dict of torchvision's vision transformers for images of 224x224 in patches of 16x16 and 1000 classes.
 *
 * @see Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021
 */
export function vitTensors({ layers, width }: VitSizes, dtype: Dtype): readonly TensorSpec[] {
  const dict = new StateDict(dtype);
  dict.add("class_token", 1, 1, width);
  dict.add("conv_proj.weight", width, 3, 16, 16);
  dict.add("conv_proj.bias", width);
  dict.add("encoder.pos_embedding", 1, 14 * 14 + 1, width);
  for (let i = 0; i < layers; i++) {
    const name = `encoder.layers.encoder_layer_${i}`;
    dict.addNorm(`${name}.ln_1`, width);
    dict.add(`${name}.self_attention.in_proj_weight`, 3 * width, width);
    dict.add(`${name}.self_attention.in_proj_bias`, 3 * width);
    dict.addLinear(`${name}.self_attention.out_proj`, width, width);
    dict.addNorm(`${name}.ln_2`, width);
    dict.addLinear(`${name}.mlp.0`, 4 * width, width);
    dict.addLinear(`${name}.mlp.3`, width, 4 * width);
  }
  dict.addNorm("encoder.ln", width);
  dict.addLinear("heads.head", 1000, width);
  return dict.tensors;
}
