import type { Dtype, TensorSpec } from "@flare-ts/aggregator";
import { StateDict } from "./state-dict.ts";

export interface LlamaSizes {
  readonly layers: number;
  readonly width: number;
  /** Width of the keys, and of the values, of all heads. */
  readonly keyWidth: number;
  readonly innerWidth: number;
  /** Whether the output layer is the embedding again. */
  readonly isTied: boolean;
}

/**
 * The state dict of Llama 3 models as Hugging Face publishes them.
 *
 * @see Grattafiori et al., "The Llama 3 Herd of Models", 2024
 */
export function llamaTensors({ layers, width, keyWidth, innerWidth, isTied }: LlamaSizes, dtype: Dtype): readonly TensorSpec[] {
  const vocabulary = 128_256;
  const dict = new StateDict(dtype);
  dict.add("model.embed_tokens.weight", vocabulary, width);
  for (let i = 0; i < layers; i++) {
    const name = `model.layers.${i}`;
    dict.add(`${name}.self_attn.q_proj.weight`, width, width);
    dict.add(`${name}.self_attn.k_proj.weight`, keyWidth, width);
    dict.add(`${name}.self_attn.v_proj.weight`, keyWidth, width);
    dict.add(`${name}.self_attn.o_proj.weight`, width, width);
    dict.add(`${name}.mlp.gate_proj.weight`, innerWidth, width);
    dict.add(`${name}.mlp.up_proj.weight`, innerWidth, width);
    dict.add(`${name}.mlp.down_proj.weight`, width, innerWidth);
    dict.add(`${name}.input_layernorm.weight`, width);
    dict.add(`${name}.post_attention_layernorm.weight`, width);
  }
  dict.add("model.norm.weight", width);
  if (!isTied) dict.add("lm_head.weight", vocabulary, width);
  return dict.tensors;
}
