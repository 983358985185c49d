import { FlareError, limits } from "@flare-ts/contracts";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";

/** The model that updates are compared with. */
export interface ModelIndex {
  readonly tensors: SafetensorsLayout["tensors"];
  readonly indexOf: ReadonlyMap<string, number>;
}

export function indexModel(layout: SafetensorsLayout): ModelIndex {
  return { tensors: layout.tensors, indexOf: new Map(layout.tensors.map(({ name }, index) => [name, index])) };
}

/**
 * Finds the model's tensors in a file: for each its first byte there, -1 where it is absent.
 *
 * @param who - how messages call the file's sender
 * @throws `aggregate/unknown-tensor`, `aggregate/layout-mismatch`
 */
export function matchLayout(model: ModelIndex, layout: SafetensorsLayout, who: string): Float64Array {
  const offsets = new Float64Array(model.tensors.length).fill(-1);
  for (const { name, dtype, shape, byteOffset } of layout.tensors) {
    const index = model.indexOf.get(name);
    const wanted = index === undefined ? undefined : model.tensors[index];
    const facts = { contributor: who, tensor: name.slice(0, limits.peerTextChars) };
    if (index === undefined || wanted === undefined) {
      throw new FlareError("aggregate/unknown-tensor", `Tensor ${quoted(name)} of ${quoted(who)} is not in the model.`, { facts });
    }
    if (wanted.dtype !== dtype || wanted.shape.length !== shape.length || wanted.shape.some((size, axis) => size !== shape[axis])) {
      throw new FlareError(
        "aggregate/layout-mismatch",
        `Tensor ${quoted(name)} of ${quoted(who)} is ${dtype} [${shape.join(", ")}], where the model has ${wanted.dtype} [${wanted.shape.join(", ")}].`,
        { facts: { ...facts, dtype, shape, modelDtype: wanted.dtype, modelShape: wanted.shape } },
      );
    }
    offsets[index] = layout.dataOffset + byteOffset;
  }
  return offsets;
}
