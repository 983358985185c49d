import type { Tensor } from "@flare-ts/aggregator";
import type { Row } from "./table.ts";

/**
 * A logistic regression on standardised measurements. Mean and mean square of each measurement are tensors of the model: in
 * the first round each hospital sends its own, and their weighted average is exactly that of all patients together.
 */
export interface Model {
  /** Mean of each measurement. */
  readonly mean: Float64Array;
  /** Mean of the square of each measurement. */
  readonly square: Float64Array;
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

export interface TrainInit {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Strength of the pull of the weights to zero. */
  readonly decay: number;
  /** Decides the order of the rows. */
  readonly seed: number;
}

export interface Score {
  /** Mean cross entropy. */
  readonly loss: number;
  /** Share of rows on the right side of one half. */
  readonly accuracy: number;
}

/** The model before anyone has trained. */
export function initialModel(features: number): Model {
  return {
    mean: new Float64Array(features),
    square: new Float64Array(features).fill(1),
    weight: new Float64Array(features),
    bias: new Float64Array(1),
  };
}

/** The model with the moments of these rows, and nothing learnt. */
export function measure(model: Model, rows: readonly Row[]): Model {
  const mean = new Float64Array(model.mean.length);
  const square = new Float64Array(model.mean.length);
  for (const { features } of rows) {
    features.forEach((value, i) => {
      mean[i] = (mean[i] ?? 0) + value / rows.length;
      square[i] = (square[i] ?? 0) + (value * value) / rows.length;
    });
  }
  return { ...model, mean, square };
}

/** The model after some epochs of mini-batch descent on these rows; the same input gives the same bits. */
export function train(model: Model, rows: readonly Row[], init: TrainInit): Model {
  const weight = model.weight.slice();
  let bias = model.bias[0] ?? 0;
  const inputs = rows.map((row) => standardised(model, row));
  const random = generator(init.seed);
  for (let epoch = 0; epoch < init.epochs; epoch += 1) {
    const order = shuffled(rows.length, random);
    for (let start = 0; start < order.length; start += init.batchSize) {
      const batch = order.slice(start, start + init.batchSize);
      const gradient = new Float64Array(weight.length);
      let biasGradient = 0;
      for (const index of batch) {
        const input = inputs[index] ?? new Float64Array(weight.length);
        const error = sigmoid(dot(weight, input) + bias) - (rows[index]?.benign ?? 0);
        input.forEach((value, i) => {
          gradient[i] = (gradient[i] ?? 0) + error * value;
        });
        biasGradient += error;
      }
      const step = init.learningRate / batch.length;
      weight.forEach((value, i) => {
        weight[i] = value - step * (gradient[i] ?? 0) - init.learningRate * init.decay * value;
      });
      bias -= step * biasGradient;
    }
  }
  return { ...model, weight, bias: Float64Array.of(bias) };
}

/** How well the model does on these rows. */
export function score(model: Model, rows: readonly Row[]): Score {
  let loss = 0;
  let right = 0;
  for (const row of rows) {
    const logit = dot(model.weight, standardised(model, row)) + (model.bias[0] ?? 0);
    const p = sigmoid(logit);
    loss -= Math.log(Math.max(row.benign === 1 ? p : 1 - p, 1e-12)) / rows.length;
    if ((p > 0.5 ? 1 : 0) === row.benign) right += 1;
  }
  return { loss, accuracy: right / rows.length };
}

/** Whether a model has been measured, that is, whether training can begin. */
export function isMeasured(model: Model): boolean {
  return model.mean.some((value) => value !== 0);
}

/** The model as tensors, in the order of its file. */
export function toParams(model: Model): Record<string, Tensor> {
  const tensor = (data: Float64Array): Tensor => ({ dtype: "F64", shape: [data.length], data });
  return {
    "input.mean": tensor(model.mean),
    "input.square": tensor(model.square),
    weight: tensor(model.weight),
    bias: tensor(model.bias),
  };
}

/** The model from its tensors. @throws Error when one is missing or of another type */
export function fromParams(params: Readonly<Record<string, Tensor>>): Model {
  const take = (name: string): Float64Array => {
    const data = params[name]?.data;
    if (data instanceof Float64Array) return data;
    throw new Error(`the model has no F64 tensor '${name}'`);
  };
  return { mean: take("input.mean"), square: take("input.square"), weight: take("weight"), bias: take("bias") };
}

function standardised({ mean, square }: Model, { features }: Row): Float64Array {
  return Float64Array.from(features, (value, i) => {
    const m = mean[i] ?? 0;
    const variance = (square[i] ?? 1) - m * m;
    return (value - m) / Math.sqrt(Math.max(variance, 1e-12));
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Park and Miller's generator: 1 … 2^31 - 2. */
function generator(seed: number): () => number {
  let state = (seed % 0x7fff_fffe) + 1;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state;
  };
}

function shuffled(count: number, random: () => number): readonly number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = random() % (i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
