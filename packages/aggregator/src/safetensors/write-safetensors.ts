import type { TensorSpec } from "./layout.js";
import type { WriteSafetensorsInit, WrittenFile } from "./safetensors-writer.js";
import { writeWhole } from "./write-whole.js";

/**
 * Writes a safetensors file in the order given, chunk by chunk. The file appears under its name only when it is complete (and
 * durable, unless `isDurable` is false); on any error, and on abort, nothing is left. A chunk may be reused by the caller once
 * the next one is asked for.
 *
 * @param chunks - the tensors' little-endian bytes one after the other, cut anywhere
 * @throws `aggregate/tensor-invalid` when there are more or fewer bytes than the tensors take, `file/unwritable`, `internal/aborted`
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorSpec[],
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  init: WriteSafetensorsInit = {},
): Promise<WrittenFile> {
  return writeWhole(path, tensors, init, async (file) => {
    for await (const chunk of chunks) await file.put(chunk);
    return await file.finish();
  });
}
