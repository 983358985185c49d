import { FlareError, limits } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import { dtypeBytes, elementsOf } from "../tensor.js";
import type { SafetensorsLayout, TensorPlace, TensorSpec } from "./layout.js";

/** The first bytes of a safetensors file and the layout that they describe. */
export interface BuiltHeader {
  /** Length prefix, JSON text, and spaces up to a multiple of 8. */
  readonly bytes: Uint8Array;
  readonly layout: SafetensorsLayout;
}

/**
 * Makes the header for tensors in the given order; the same input gives the same bytes, metadata is sorted by key.
 *
 * @throws `aggregate/tensor-invalid`, `aggregate/safetensors-limit`
 */
export function buildHeader(specs: readonly TensorSpec[], metadata: Readonly<Record<string, string>> = {}): BuiltHeader {
  if (specs.length > limits.tensorsPerModel) {
    throw new FlareError("aggregate/safetensors-limit", `${specs.length} tensors, where ${limits.tensorsPerModel} are allowed.`, {
      facts: { tensors: specs.length, limit: limits.tensorsPerModel },
    });
  }
  // The text is put together by hand because an object would move names such as "0" to the front.
  const members: string[] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) members.push(`"__metadata__":{${keys.map((key) => `${text(key)}:${text(metadata[key] ?? "")}`).join(",")}}`);
  const names = new Set<string>();
  const tensors: TensorPlace[] = [];
  let next = 0;
  for (const { name, dtype, shape } of specs) {
    const elements = elementsOf(shape);
    const end = elements === undefined ? Number.NaN : next + elements * dtypeBytes[dtype];
    if (!Number.isSafeInteger(end)) throw invalid(name, `has a shape beyond any file, [${shape.join(", ")}]`);
    if (name === "__metadata__" || names.has(name)) throw invalid(name, "has a name that is taken");
    names.add(name);
    tensors.push({ name, dtype, shape, byteOffset: next, byteLength: end - next });
    members.push(`${text(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${next},${end}]}`);
    next = end;
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  // The data begins at a multiple of 8, so that readers may map it.
  const headerBytes = Math.ceil(json.byteLength / 8) * 8;
  if (headerBytes > limits.safetensorsHeaderBytes) {
    throw new FlareError(
      "aggregate/safetensors-limit",
      `A header of ${headerBytes} bytes, where ${limits.safetensorsHeaderBytes} are allowed.`,
      {
        facts: { headerBytes, limit: limits.safetensorsHeaderBytes },
      },
    );
  }
  const bytes = new Uint8Array(8 + headerBytes).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, 8);
  return { bytes, layout: { tensors, metadata, dataOffset: bytes.byteLength, totalBytes: bytes.byteLength + next } };
}

function text(value: string): string {
  if (!value.isWellFormed()) throw invalid(value, "has a name or metadata with half a surrogate pair");
  return JSON.stringify(value);
}

function invalid(name: string, what: string): FlareError {
  return new FlareError("aggregate/tensor-invalid", `Tensor ${quoted(name)} ${what}.`, {
    facts: { tensor: name.slice(0, limits.peerTextChars) },
  });
}
