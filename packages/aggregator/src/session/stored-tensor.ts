import type { Dtype } from "../tensor.js";

/** How an update stores a tensor of the model; places count bytes from the beginning of the file. */
export type StoredTensor =
  /** Every element in order. F16 and BF16 stand for the model's F32 where the update says that it is compressed. */
  | { readonly kind: "plain"; readonly dtype: Dtype; readonly offset: number }
  /** Each element is scale × q, rounded to float32: q an I8, one F32 scale for `block` elements. */
  | { readonly kind: "int8"; readonly offset: number; readonly scales: number; readonly block: number }
  /**
   * Elements that are not zero: I32 indices, ascending, and as many F32 values. `starts[b]` says how many lie before block b
   * of `blockElements` elements.
   */
  | { readonly kind: "sparse"; readonly offset: number; readonly indices: number; readonly starts: Float64Array };

/** How an update, or the base, stores each tensor of the model; `undefined` where it is absent. */
export type StoredTensors = readonly (StoredTensor | undefined)[];
