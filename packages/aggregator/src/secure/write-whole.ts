import { throwIfAborted } from "../abort.js";
import type { TensorSpec } from "../safetensors/layout.js";
import { SafetensorsWriter, type WriteSafetensorsInit, type WrittenFile } from "../safetensors/safetensors-writer.js";

/** Writes a safetensors file as a whole: on an error or abort there is none. @throws as `put`, `file/unwritable`, `internal/aborted` */
export async function writeWhole(
  path: string,
  specs: readonly TensorSpec[],
  init: WriteSafetensorsInit,
  put: (file: SafetensorsWriter) => Promise<void>,
): Promise<WrittenFile> {
  const file = await SafetensorsWriter.create(path, specs, init);
  try {
    await put(file);
    throwIfAborted(init.signal);
    return await file.finish();
  } catch (cause) {
    await file.discard();
    throw cause;
  }
}
