import type { Dtype, TensorSpec } from "@flare-ts/aggregator";
import { StateDict } from "./state-dict.ts";

export interface BertSizes {
  readonly layers: number;
  readonly width: number;
}

/**
 * The state dict of Hugging Face's `BertModel` with the vocabulary of the uncased models.
 *
 * @see Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", NAACL 2019
 */
export function bertTensors({ layers, width }: BertSizes, dtype: Dtype): readonly TensorSpec[] {
  const dict = new StateDict(dtype);
  dict.add("embeddings.word_embeddings.weight", 30_522, width);
  dict.add("embeddings.position_embeddings.weight", 512, width);
  dict.add("embeddings.token_type_embeddings.weight", 2, width);
  dict.addNorm("embeddings.LayerNorm", width);
  for (let i = 0; i < layers; i++) {
    const name = `encoder.layer.${i}`;
    for (const part of ["query", "key", "value"]) dict.addLinear(`${name}.attention.self.${part}`, width, width);
    dict.addLinear(`${name}.attention.output.dense`, width, width);
    dict.addNorm(`${name}.attention.output.LayerNorm`, width);
    dict.addLinear(`${name}.intermediate.dense`, 4 * width, width);
    dict.addLinear(`${name}.output.dense`, width, 4 * width);
    dict.addNorm(`${name}.output.LayerNorm`, width);
  }
  dict.addLinear("pooler.dense", width, width);
  return dict.tensors;
}
