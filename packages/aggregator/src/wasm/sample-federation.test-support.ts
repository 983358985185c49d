import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { type Dtype, dtypeBytes, elementsOf, type Tensor, viewOf } from "../tensor.js";

/** A tensor's place among the models of a sample: what it is, without values. */
export interface SampleTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A safetensors file with finite values of all magnitudes; each tensor is left out with the probability `absence`. */
export function sampleUpdate(tensors: readonly SampleTensor[], seed: number, absence = 0): Uint8Array {
  const random = randomFrom(seed);
  const entries = tensors.map(({ dtype, shape }, i): [string, Tensor] => [
    `t${i}`,
    { dtype, shape, data: sampleValues(dtype, elementsOf(shape) ?? 0, random) },
  ]);
  const kept = entries.filter(() => random() >= absence);
  return encodeSafetensors(kept.length > 0 ? kept : entries);
}

function sampleValues(dtype: Dtype, count: number, random: () => number): Tensor["data"] {
  const values = viewOf(dtype, new ArrayBuffer(count * dtypeBytes[dtype]), 0, count);
  // One magnitude for most of the tensor, and now and then zeros, subnormals and values far off.
  const scale = 2 ** Math.floor(random() * 40 - 20);
  for (let i = 0; i < count; i++) {
    const kind = random();
    const real = (random() - 0.5) * scale * (kind < 0.05 ? 2 ** (random() * 60 - 40) : 1);
    if (values instanceof BigInt64Array) values[i] = BigInt(Math.floor(real * 2 ** 40));
    else if (dtype === "BOOL") values[i] = random() < 0.5 ? 0 : 1;
    else if (dtype === "F16") values[i] = Math.floor(random() * 0x7c00) | (random() < 0.5 ? 0x8000 : 0);
    else if (dtype === "BF16")
      values[i] = (kind < 0.05 ? Math.floor(random() * 0x7f80) : 0x3e00 + Math.floor(random() * 0x100)) | (random() < 0.5 ? 0x8000 : 0);
    else if (dtype === "F32" || dtype === "F64") values[i] = kind > 0.95 ? (kind > 0.97 ? -0 : 2 ** -149) : real;
    else values[i] = Math.floor(random() * 2 ** 31);
  }
  return values;
}
