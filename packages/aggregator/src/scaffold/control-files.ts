import { FlareError, limits } from "@flare-ts/contracts/errors";
import { ChunkReader, chunkBytes } from "../compression/chunk-reader.js";
import { quoted } from "../peer-text.js";
import type { TensorPlace } from "../safetensors/layout.js";
import { isScaffoldControl, scaffoldControlPrefix } from "../safetensors/scaffold-names.js";
import { writeSafetensors } from "../safetensors/write-safetensors.js";
import { isFloatDtype } from "../tensor.js";

export interface ControlFileInit {
  /** Safetensors file of a model. */
  readonly source: string;
  /** Where the other one goes. */
  readonly outPath: string;
  /** @default true */
  readonly isDurable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the model that a job of SCAFFOLD begins with: of each floating tensor also a control variate, zeros of the same shape and type
 * under `scaffoldControlPrefix` and its name, behind all of the model's own. Integers, such as counters of batches, are not trained and
 * have none. A chunk is in memory at a time.
 *
 * @throws `aggregate/tensor-invalid` for a model with a tensor under the prefix, `aggregate/safetensors-limit` where the file would have
 *   too many tensors, `aggregate/safetensors-…`, `file/…`, `internal/aborted`
 */
export async function addScaffoldControls(init: ControlFileInit): Promise<void> {
  await rewrite(init, (tensors) => {
    const taken = tensors.find(isScaffoldControl);
    if (taken !== undefined) throw nameTaken(init.source, taken);
    const controls = tensors.filter(({ dtype }) => isFloatDtype(dtype));
    return { kept: tensors, zeros: controls.map((tensor) => ({ ...tensor, name: `${scaffoldControlPrefix}${tensor.name}` })) };
  });
}

/**
 * Makes the model alone of one with control variates, which `addScaffoldControls` has begun. A chunk is in memory at a time.
 *
 * @throws `aggregate/safetensors-…`, `file/…`, `internal/aborted`
 */
export async function removeScaffoldControls(init: ControlFileInit): Promise<void> {
  await rewrite(init, (tensors) => ({ kept: tensors.filter((tensor) => !isScaffoldControl(tensor)), zeros: [] }));
}

type Plan = (tensors: readonly TensorPlace[]) => { readonly kept: readonly TensorPlace[]; readonly zeros: readonly TensorPlace[] };

async function rewrite({ source, outPath, isDurable, signal }: ControlFileInit, plan: Plan): Promise<void> {
  const reader = await ChunkReader.open({ source, signal });
  try {
    const { kept, zeros } = plan(reader.layout.tensors);
    const { metadata } = reader.layout;
    await writeSafetensors(outPath, [...kept, ...zeros], bytesOf(reader, kept, zeros), { metadata, isDurable, isHashed: false, signal });
  } finally {
    await reader.close();
  }
}

async function* bytesOf(reader: ChunkReader, kept: readonly TensorPlace[], zeros: readonly TensorPlace[]): AsyncGenerator<Uint8Array> {
  yield* reader.allBytes(kept);
  const chunk = new Uint8Array(chunkBytes);
  for (const { byteLength } of zeros) {
    for (let left = byteLength; left > 0; left -= chunk.byteLength) yield chunk.subarray(0, left);
  }
}

function nameTaken(file: string, { name }: TensorPlace): FlareError {
  return new FlareError(
    "aggregate/tensor-invalid",
    `${file}: tensor ${quoted(name)} has a name that SCAFFOLD keeps for control variates; name it without ${scaffoldControlPrefix}.`,
    { facts: { file, tensor: name.slice(0, limits.peerTextChars) } },
  );
}
