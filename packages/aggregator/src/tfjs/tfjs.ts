/** A tensor of TensorFlow.js, as far as it is used here. */
export interface TfTensor {
  data(): Promise<unknown>;
  dispose(): void;
}

/**
 * The part of TensorFlow.js that a device is made of. `@tensorflow/tfjs-core` has it, and so has every package that passes it
 * on, such as `@tensorflow/tfjs-node-gpu`; its types are not needed to use this package.
 */
export interface Tfjs<Tensor extends TfTensor = TfTensor> {
  /** The name of the backend that computes. */
  getBackend(): string;
  /** Disposes of every tensor that was made while `compute` ran and was not kept, also when it throws. */
  tidy(compute: () => void): unknown;
  keep(tensor: Tensor): Tensor;
  tensor1d(values: Float32Array, dtype: "float32"): Tensor;
  scalar(value: number, dtype: "float32"): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  div(a: Tensor, b: Tensor): Tensor;
  minimum(a: Tensor, b: Tensor): Tensor;
  maximum(a: Tensor, b: Tensor): Tensor;
  squaredDifference(a: Tensor, b: Tensor): Tensor;
  stack(tensors: Tensor[]): Tensor;
  concat(tensors: Tensor[]): Tensor;
  slice(x: Tensor, begin: number[], size: number[]): Tensor;
  reshape(x: Tensor, shape: number[]): Tensor;
  sum(x: Tensor, axis: number): Tensor;
}
