import type { FileHandle } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import { type ByteSource, handleSource, openFileSource } from "../byte-source.js";
import { checkLayout, type SafetensorsLayout } from "./layout.js";
import { parseHeaderText } from "./parse-header.js";

/** Bytes before the header's text: its length as a little-endian 64-bit integer. */
export const prefixBytes = 8;

/**
 * Reads what a safetensors file holds, without its data. Whatever the file says, no more memory is taken than its header's
 * size, which is at most `limits.safetensorsHeaderBytes`.
 *
 * @param source - a path, or an open handle, which stays open
 * @throws `aggregate/safetensors-truncated`, `aggregate/safetensors-header`, `aggregate/safetensors-dtype`,
 *   `aggregate/safetensors-offsets`, `aggregate/safetensors-limit`, `file/not-found`, `file/unreadable`
 * @see https://huggingface.co/docs/safetensors for the format
 */
export async function readSafetensorsHeader(source: string | FileHandle): Promise<SafetensorsLayout> {
  if (typeof source !== "string") return readLayout(await handleSource(source, `file handle ${source.fd}`));
  const opened = await openFileSource(source);
  try {
    return await readLayout(opened);
  } finally {
    await opened.close();
  }
}

/**
 * Reads what a safetensors file in memory holds.
 *
 * @param label - how messages call it
 * @throws as `readSafetensorsHeader`
 */
export function parseSafetensorsHeader(bytes: Uint8Array, label = "safetensors bytes"): SafetensorsLayout {
  const headerBytes = headerLength(bytes.subarray(0, prefixBytes), bytes.byteLength, label);
  const dataOffset = prefixBytes + headerBytes;
  return layoutOf(bytes.subarray(prefixBytes, dataOffset), { file: label, dataOffset, totalBytes: bytes.byteLength });
}

/** Reads the layout of any source; the same checks as `readSafetensorsHeader`. */
export async function readLayout(source: ByteSource): Promise<SafetensorsLayout> {
  const prefix = new Uint8Array(Math.min(prefixBytes, source.size));
  await source.read(prefix, 0);
  const headerBytes = headerLength(prefix, source.size, source.label);
  const text = new Uint8Array(headerBytes);
  await source.read(text, prefixBytes);
  return layoutOf(text, { file: source.label, dataOffset: prefixBytes + headerBytes, totalBytes: source.size });
}

function layoutOf(text: Uint8Array, place: { file: string; dataOffset: number; totalBytes: number }): SafetensorsLayout {
  const { entries, metadata } = parseHeaderText(text, place.file);
  return checkLayout(entries, metadata, place);
}

/** Reads the length of the header's text. @throws `aggregate/safetensors-truncated`, `aggregate/safetensors-header`, `aggregate/safetensors-limit` */
export function headerLength(prefix: Uint8Array, totalBytes: number, file: string): number {
  if (prefix.byteLength < prefixBytes) {
    throw new FlareError("aggregate/safetensors-truncated", `${file}: ${totalBytes} bytes, too short for a safetensors file.`, {
      facts: { file, bytes: totalBytes },
    });
  }
  const claimed = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes).getBigUint64(0, true);
  if (claimed > BigInt(limits.safetensorsHeaderBytes) && claimed > totalBytes) {
    throw new FlareError("aggregate/safetensors-header", `${file}: not a safetensors file; it begins with no length of a header.`, {
      facts: { file, headerBytes: String(claimed), bytes: totalBytes },
    });
  }
  if (claimed > BigInt(limits.safetensorsHeaderBytes)) {
    throw new FlareError(
      "aggregate/safetensors-limit",
      `${file}: a header of ${claimed} bytes, where ${limits.safetensorsHeaderBytes} are allowed.`,
      {
        facts: { file, headerBytes: String(claimed), limit: limits.safetensorsHeaderBytes },
      },
    );
  }
  const headerBytes = Number(claimed);
  if (prefixBytes + headerBytes > totalBytes) {
    throw new FlareError(
      "aggregate/safetensors-truncated",
      `${file}: ${totalBytes} bytes, too short for its header of ${headerBytes} bytes.`,
      {
        facts: { file, headerBytes, bytes: totalBytes },
      },
    );
  }
  return headerBytes;
}
