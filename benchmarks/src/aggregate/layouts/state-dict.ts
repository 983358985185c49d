import type { Dtype, TensorSpec } from "@flare-ts/aggregator";

/** Collects the tensors of a state dict in its order; floating tensors are of one type. */
export class StateDict {
  readonly #tensors: TensorSpec[] = [];
  readonly #dtype: Dtype;

  constructor(dtype: Dtype) {
    this.#dtype = dtype;
  }

  /** The tensors so far. */
  get tensors(): readonly TensorSpec[] {
    return this.#tensors;
  }

  /** Adds a floating tensor. */
  add(name: string, ...shape: readonly number[]): void {
    this.#tensors.push({ name, dtype: this.#dtype, shape });
  }

  /** Adds a scalar that counts something. */
  addCounter(name: string): void {
    this.#tensors.push({ name, dtype: "I64", shape: [] });
  }

  /** Adds the weight and bias of a layer that has `outputs` of them and takes `inputs`. */
  addLinear(name: string, outputs: number, inputs: number): void {
    this.add(`${name}.weight`, outputs, inputs);
    this.add(`${name}.bias`, outputs);
  }

  /** Adds the weight and bias of a normalisation. */
  addNorm(name: string, width: number): void {
    this.add(`${name}.weight`, width);
    this.add(`${name}.bias`, width);
  }
}
