import { encodeSafetensors, type ParamsType, type Tensor } from "@flare-ts/aggregator";
import type { ReferenceUpdate, Values } from "./reference-aggregation.js";

/** The model: two tensors of it are more than one block of the sums. */
const shapes: Readonly<Record<string, number>> = {
  weight: 20_011,
  "scaffold_c_global.weight": 17_003,
  bias: 7,
  "bn.running_mean": 5,
  "scaffold_c_global.bias": 7,
  scalar: 1,
  head: 33,
};

/** The model that the first round begins with. */
export function initialModel(): Values {
  return made(0, 1);
}

/** A safetensors file of these values, in float32. */
export function modelFile(values: Values): Uint8Array {
  const tensorOf = (each: readonly number[]): Tensor => ({ dtype: "F32", shape: [each.length], data: Float32Array.from(each) });
  return encodeSafetensors(Object.entries(values).map(([tensor, each]) => [tensor, tensorOf(each)]));
}

/** An update, and the file that brings it. */
export interface SentUpdate extends ReferenceUpdate {
  readonly file: Uint8Array;
}

export interface SentRound {
  readonly round: number;
  readonly paramsType: ParamsType;
  /** Whether all updates have all tensors. */
  readonly areWhole: boolean;
}

/** What eight sites send in a round; those that compare whole updates want whole updates, the others live with a tensor that some lack. */
export function updatesOf({ round, paramsType, areWhole }: SentRound): readonly SentUpdate[] {
  return Array.from({ length: 8 }, (_, i) => {
    const all = made(10 * round + i, paramsType === "FULL" ? 1 : 0.05);
    const { head: _head, ...rest } = all;
    const values = i === 2 && !areWhole ? rest : all;
    return { contributor: `site-${i}`, weight: 1 + i * 3, staleness: i % 3, values, file: modelFile(values) };
  });
}

function made(seed: number, scale: number): Values {
  return Object.fromEntries(
    Object.entries(shapes).map(([tensor, length], t) => [
      tensor,
      Array.from({ length }, (_, i) => Math.fround(scale * Math.sin(seed * 1.3 + t + i * 0.37) + 0.01 * Math.cos(seed * i))),
    ]),
  );
}
