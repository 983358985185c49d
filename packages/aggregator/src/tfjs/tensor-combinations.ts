import { runElements } from "../device/combine-device.js";
import { sortingNetwork } from "../device/sorting-network.js";
import type { Tfjs, TfTensor } from "./tfjs.js";

/** Σ factors[i] × values[i] from the first to the last: every product and every sum is rounded to float32. */
export function weightedSumOf<Tensor extends TfTensor>(
  tf: Tfjs<Tensor>,
  values: readonly Float32Array[],
  factors: readonly number[],
): Tensor {
  // One update at a time: no more than four rows are on the device, and its queue works on one while the next is uploaded. A
  // product of matrices is no way to do it: on GPUs since Ampere TensorFlow multiplies them with 11 significant bits (TF32).
  return sumOf(tf, termsOf(tf, values, factors));
}

/** The values at some ranks, counted from the smallest of each element, one tensor for each rank. */
export function ranksOf<Tensor extends TfTensor>(
  tf: Tfjs<Tensor>,
  values: readonly Float32Array[],
  ranks: readonly number[],
): readonly Tensor[] {
  const rows = [...rowsOf(tf, values)];
  // By steps on whole rows, since tfjs cannot sort. Its `topk` along the other axis is 2 to 4 times slower on TensorFlow's CPU
  // kernels and as slow on WebAssembly; on a GPU it would sort each element's few values as a segment of their own.
  for (const { low, high, isLowNeeded, isHighNeeded } of sortingNetwork(rows.length, (place) => ranks.includes(place))) {
    const [a, b] = [at(rows, low), at(rows, high)];
    if (isLowNeeded) rows[low] = tf.minimum(a, b);
    if (isHighNeeded) rows[high] = tf.maximum(a, b);
    a.dispose();
    b.dispose();
  }
  return ranks.map((rank) => at(rows, rank));
}

/** The mean of the values at the ranks from `cut` to the one as far from the top. */
export function trimmedMeanOf<Tensor extends TfTensor>(tf: Tfjs<Tensor>, values: readonly Float32Array[], cut: number): Tensor {
  const count = values.length - 2 * cut;
  const kept = Array.from({ length: count }, (_, rank) => cut + rank);
  const [sum, divisor] = [sumOf(tf, cut === 0 ? rowsOf(tf, values) : ranksOf(tf, values, kept)), tf.scalar(count, "float32")];
  return spend(tf.div(sum, divisor), sum, divisor);
}

/**
 * Σ (a - b)² over each run, for the pairs of the first update with the second, the third and so on, then of the second: one
 * after the other, as many values for each pair as there are runs.
 */
export function runDistancesOf<Tensor extends TfTensor>(tf: Tfjs<Tensor>, values: readonly Float32Array[]): Tensor {
  // The differences themselves, not a product of matrices: no digits cancel, and nothing is rounded to TF32.
  const length = values[0]?.length ?? 0;
  const rows = [...rowsOf(tf, values)];
  const all = spend(tf.stack(rows), ...rows);
  const found = rows.slice(1).map((_, update) => {
    const others = values.length - update - 1;
    const one = tf.slice(all, [update, 0], [1, length]);
    const rest = tf.slice(all, [update + 1, 0], [others, length]);
    const squares = spend(tf.squaredDifference(rest, one), rest, one);
    const runs = spend(tf.reshape(squares, [(others * length) / runElements, runElements]), squares);
    return spend(tf.sum(runs, 1), runs);
  });
  return spend(tf.concat(found), all, ...found);
}

/** The sum from the first to the last term, each made when it is its turn. */
function sumOf<Tensor extends TfTensor>(tf: Tfjs<Tensor>, terms: Iterable<Tensor>): Tensor {
  let sum: Tensor | undefined;
  for (const term of terms) sum = sum === undefined ? term : spend(tf.add(sum, term), sum, term);
  if (sum === undefined) throw new RangeError("there is nothing to sum");
  return sum;
}

function* termsOf<Tensor extends TfTensor>(
  tf: Tfjs<Tensor>,
  values: readonly Float32Array[],
  factors: readonly number[],
): Iterable<Tensor> {
  for (const [update, each] of values.entries()) {
    const row = tf.tensor1d(each, "float32");
    const factor = tf.scalar(factors[update] ?? 0, "float32");
    yield spend(tf.mul(row, factor), row, factor);
  }
}

function* rowsOf<Tensor extends TfTensor>(tf: Tfjs<Tensor>, values: readonly Float32Array[]): Iterable<Tensor> {
  for (const each of values) yield tf.tensor1d(each, "float32");
}

/** Gives back the room of what a result was computed from. */
function spend<Tensor extends TfTensor>(result: Tensor, ...used: readonly Tensor[]): Tensor {
  for (const tensor of used) tensor.dispose();
  return result;
}

function at<Tensor>(rows: readonly Tensor[], place: number): Tensor {
  const row = rows[place];
  if (row === undefined) throw new RangeError(`there is no row ${place} of ${rows.length}`);
  return row;
}
