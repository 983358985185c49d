import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { FlareError } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { unwritable } from "../unwritable.js";

export interface SpoolInit {
  /** Where a folder is made for the file. */
  readonly folder: string;
  /** A stream that is longer is refused. */
  readonly maxBytes: number;
  /** How messages call the stream. */
  readonly label: string;
  readonly signal: AbortSignal;
}

/** A stream's bytes as a file. */
export interface SpooledFile {
  readonly path: string;
  /** Removes the file. */
  remove(): Promise<void>;
}

/**
 * Writes a stream to a temporary file; on any error and on abort nothing is left.
 *
 * @throws `aggregate/safetensors-limit`, `file/unwritable`, `internal/aborted`, and what the stream itself throws
 */
export async function spoolStream(chunks: AsyncIterable<Uint8Array>, { folder, maxBytes, label, signal }: SpoolInit): Promise<SpooledFile> {
  throwIfAborted(signal);
  const own = await mkdtemp(join(folder, "flare-update-")).catch((cause: unknown) => {
    throw unwritable(`${folder} cannot be written`, folder, cause);
  });
  const path = join(own, "update.safetensors");
  const remove = (): Promise<void> => rm(own, { recursive: true, force: true });
  const limited = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        throw new FlareError("aggregate/safetensors-limit", `${label}: more than the ${maxBytes} bytes that the model can take.`, {
          facts: { file: label, limit: maxBytes },
        });
      }
      yield chunk;
    }
  };
  try {
    await pipeline(chunks, limited, createWriteStream(path, { flags: "wx" }), { signal });
    return { path, remove };
  } catch (cause) {
    await remove();
    throwIfAborted(signal);
    throw cause instanceof Error && "syscall" in cause && "path" in cause && cause.path === path
      ? unwritable(`${path} cannot be written`, path, cause)
      : cause;
  }
}
