import { readFileSync } from "node:fs";
import { withJobFile } from "./one-tensor-file.js";

/** A safetensors file without a tensor: what answers an evaluation. */
export const noTensors: Uint8Array = new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}");

/** Longer files are not looked into: one without a tensor has but its metadata. */
const mostBytes = 64 * 1024;

/**
 * Whether the file of an update holds tensors. One that is no safetensors file counts as if: whoever reads it says what is wrong with it.
 * Files are small that have none, and are read at once, as a turn of Node's thread pool takes longer.
 *
 * @throws what the file system says
 */
export function holdsTensors(path: string): boolean {
  return withJobFile(path, (file, size) => size === 0 || size > mostBytes || namesTensors(readFileSync(file)));
}

function namesTensors(bytes: Buffer): boolean {
  if (bytes.byteLength < 8 || bytes.readBigUInt64LE() !== BigInt(bytes.byteLength - 8)) return true;
  try {
    const header: unknown = JSON.parse(bytes.toString("utf8", 8));
    return (
      typeof header !== "object" || header === null || Array.isArray(header) || Object.keys(header).some((name) => name !== "__metadata__")
    );
  } catch {
    return true;
  }
}
