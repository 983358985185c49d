import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";
import { throwIfAborted } from "../abort.js";
import { buildHeader } from "./build-header.js";
import type { TensorSpec } from "./layout.js";

export interface WrittenFile {
  /** Size of the file. */
  readonly bytes: number;
  /** Hash of the whole file, lower-case hexadecimal. */
  readonly sha256: string;
}

export interface WriteSafetensorsInit {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether the file survives a power cut once it is there; Node's permission model denies the fsync that this takes. @default true */
  readonly isDurable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

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
  const { bytes: header, layout } = buildHeader(tensors, init.metadata);
  const partPath = `${path}.part`;
  const part = await orUnwritable(path, open(partPath, "w"));
  try {
    const hash = createHash("sha256");
    let written = 0;
    const put = async (chunk: Uint8Array): Promise<void> => {
      throwIfAborted(init.signal);
      if (written + chunk.byteLength > layout.totalBytes) throw wrongLength(path, layout.totalBytes, "more");
      hash.update(chunk);
      await orUnwritable(path, writeFully(part, chunk));
      written += chunk.byteLength;
    };
    await put(header);
    for await (const chunk of chunks) await put(chunk);
    if (written !== layout.totalBytes) throw wrongLength(path, layout.totalBytes, "fewer");
    if (init.isDurable !== false) await orUnwritable(path, part.sync());
    await part.close();
    await orUnwritable(path, rename(partPath, path));
    return { bytes: written, sha256: hash.digest("hex") };
  } catch (cause) {
    await part.close();
    await rm(partPath, { force: true });
    throw cause;
  }
}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) done += (await file.write(chunk, done)).bytesWritten;
}

async function orUnwritable<T>(file: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
    throw new FlareError("file/unwritable", `${file} cannot be written (${reason}).`, { facts: { file, reason }, cause });
  }
}

function wrongLength(file: string, expectedBytes: number, what: "more" | "fewer"): FlareError {
  return new FlareError("aggregate/tensor-invalid", `${file}: ${what} bytes than the ${expectedBytes} that its tensors take.`, {
    facts: { file, expectedBytes },
  });
}
