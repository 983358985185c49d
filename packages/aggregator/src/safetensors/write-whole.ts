import type { TensorSpec } from "./layout.js";
import { SafetensorsWriter, type WriteSafetensorsInit } from "./safetensors-writer.js";

/** Writes a safetensors file as a whole: on an error or abort there is none. @throws as `put`, `file/unwritable`, `internal/aborted` */
export async function writeWhole<Result>(
  path: string,
  specs: readonly TensorSpec[],
  init: WriteSafetensorsInit,
  write: (file: SafetensorsWriter) => Promise<Result>,
): Promise<Result> {
  const file = await SafetensorsWriter.create(path, specs, init);
  try {
    return await write(file);
  } catch (cause) {
    await file.discard();
    throw cause;
  }
}
