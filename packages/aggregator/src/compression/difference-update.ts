import { SafetensorsWriter } from "../safetensors/safetensors-writer.js";
import { ChunkReader } from "./chunk-reader.js";

export interface DifferenceUpdateInit {
  /** Safetensors file of an update that is a whole model, or some tensors of one. */
  readonly source: string;
  /** Model that it was trained from. */
  readonly base: string;
  /** Where the difference goes. */
  readonly outPath: string;
  /** @default true */
  readonly isDurable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a DIFF of an update that is FULL: of each of its tensors the difference to the model's, rounded once to its type. A chunk is in
 * memory at a time.
 *
 * @throws `aggregate/unknown-tensor`, `aggregate/layout-mismatch`, `aggregate/out-of-range` for a difference that the tensor's type does
 *   not hold, `aggregate/safetensors-…`, `file/…`, `internal/aborted`
 */
export async function differenceUpdate({ source, base, outPath, isDurable, signal }: DifferenceUpdateInit): Promise<void> {
  const reader = await ChunkReader.open({ source, base, signal });
  try {
    const { tensors, metadata } = reader.layout;
    const writer = await SafetensorsWriter.create(outPath, tensors, { metadata, isDurable, isHashed: false, signal });
    try {
      for (const tensor of tensors) for await (const bytes of reader.bytes(tensor)) await writer.put(bytes);
      await writer.finish();
    } catch (cause) {
      await writer.discard();
      throw cause;
    }
  } finally {
    await reader.close();
  }
}
