import { FlareError, limits } from "@flare-ts/contracts/errors";
import { compressionOf, indicesName, scalesName } from "../compression/compressed-format.js";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";
import { type ModelIndex, modelTensor, requireSame, storedDtype } from "../session/match-layout.js";
import { type Dtype, elementsOf } from "../tensor.js";

/** A tensor of an update that arrives as a stream. */
export interface StreamedTensor {
  /** Index of the model's tensor. */
  readonly tensor: number;
  /** As it is stored in the stream: the model's type, or F16 and BF16 for F32. */
  readonly dtype: Dtype;
  readonly elements: number;
}

/**
 * Finds the model's tensors in an update, in the order in which they arrive.
 *
 * @param who - how messages call the sender
 * @throws `aggregate/update-empty`, `aggregate/unknown-tensor`, `aggregate/layout-mismatch`, `aggregate/compression-invalid`,
 *   `aggregate/stream-compressed`
 */
export function streamedTensors(model: ModelIndex, layout: SafetensorsLayout, who: string): readonly StreamedTensor[] {
  if (layout.tensors.length === 0) {
    throw new FlareError("aggregate/update-empty", `The update of ${quoted(who)} holds no tensor.`, { facts: { contributor: who } });
  }
  const isCompressed = compressionOf(layout) !== undefined;
  if (isCompressed) requireInOrder(layout, who);
  return layout.tensors.map((found) => {
    const { index, wanted } = modelTensor(model, found, who);
    const dtype = storedDtype(found, wanted, isCompressed);
    requireSame(found, { ...wanted, dtype }, who);
    return { tensor: index, dtype, elements: elementsOf(wanted.shape) ?? 0 };
  });
}

/** Scales and indices stand behind the values that mean nothing without them. */
function requireInOrder({ tensors }: SafetensorsLayout, who: string): void {
  const names = new Set(tensors.map(({ name }) => name));
  const found = tensors.find(({ name }) => names.has(scalesName(name)) || names.has(indicesName(name)));
  if (found === undefined) return;
  const form = names.has(scalesName(found.name)) ? "int8" : "top-k";
  throw new FlareError(
    "aggregate/stream-compressed",
    `Tensor ${quoted(found.name)} of ${quoted(who)} is compressed as ${form}, which cannot be summed as it arrives.`,
    { facts: { contributor: who, tensor: found.name.slice(0, limits.peerTextChars), form } },
  );
}
