import { FlareError, limits } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import { type Dtype, dtypeBytes, elementsOf, isDtype } from "../tensor.js";

/** What a tensor is, without its data. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  /** Sizes of the dimensions; empty for a scalar. */
  readonly shape: readonly number[];
}

/** A tensor and its place in a file. */
export interface TensorPlace extends TensorSpec {
  /** First byte, counted from `SafetensorsLayout.dataOffset`. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Everything that the header of a safetensors file says, checked: tensors follow each other without overlap or hole. */
export interface SafetensorsLayout {
  /** In the order of the data. */
  readonly tensors: readonly TensorPlace[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data begins in the file, in bytes. */
  readonly dataOffset: number;
  /** Size of the file in bytes. */
  readonly totalBytes: number;
}

/** A header's entry as it stands in the file: well-formed, not yet checked. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Makes a layout of a header's entries, or says which tensor lies.
 *
 * @throws `aggregate/safetensors-dtype`, `aggregate/safetensors-offsets`, `aggregate/safetensors-truncated`
 */
export function checkLayout(
  entries: readonly HeaderEntry[],
  metadata: Readonly<Record<string, string>>,
  place: { readonly file: string; readonly dataOffset: number; readonly totalBytes: number },
): SafetensorsLayout {
  const { file, dataOffset, totalBytes } = place;
  const inOrder = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = 0;
  const tensors = inOrder.map(({ name, dtype, shape, begin, end }) => {
    const facts = { file, tensor: name.slice(0, limits.peerTextChars) };
    if (!isDtype(dtype)) {
      throw new FlareError(
        "aggregate/safetensors-dtype",
        `${file}: tensor ${quoted(name)} has the unsupported element type ${quoted(dtype)}.`,
        {
          facts: { ...facts, dtype: dtype.slice(0, limits.peerTextChars) },
        },
      );
    }
    const wrong = (what: string): never => {
      throw new FlareError("aggregate/safetensors-offsets", `${file}: tensor ${quoted(name)} ${what}.`, {
        facts: { ...facts, begin, end },
      });
    };
    const elements = elementsOf(shape);
    const byteLength = elements === undefined ? undefined : elements * dtypeBytes[dtype];
    if (byteLength === undefined || !Number.isSafeInteger(byteLength)) return wrong(`has a shape beyond any file, [${shape.join(", ")}]`);
    if (end < begin) return wrong(`ends at byte ${end}, before it begins at ${begin}`);
    if (end - begin !== byteLength) {
      return wrong(`takes ${end - begin} bytes, but ${dtype} of shape [${shape.join(", ")}] takes ${byteLength}`);
    }
    if (begin < next) return wrong(`begins at byte ${begin}, inside the tensor before it, which ends at ${next}`);
    if (begin > next) return wrong(`begins at byte ${begin} and leaves a hole after byte ${next}`);
    next = end;
    return { name, dtype, shape, byteOffset: begin, byteLength };
  });
  const dataBytes = totalBytes - dataOffset;
  if (next > dataBytes) {
    throw new FlareError("aggregate/safetensors-truncated", `${file}: ${dataBytes} bytes of tensors, where the header says ${next}.`, {
      facts: { file, expectedBytes: next, bytes: dataBytes },
    });
  }
  if (next < dataBytes) {
    throw new FlareError("aggregate/safetensors-offsets", `${file}: ${dataBytes - next} bytes after the last tensor belong to none.`, {
      facts: { file, expectedBytes: next, bytes: dataBytes },
    });
  }
  return { tensors, metadata, dataOffset, totalBytes };
}
