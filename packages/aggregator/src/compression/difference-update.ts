import { writeSafetensors } from "../safetensors/write-safetensors.js";
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
    await writeSafetensors(outPath, tensors, reader.allBytes(tensors), { metadata, isDurable, isHashed: false, signal });
  } finally {
    await reader.close();
  }
}
