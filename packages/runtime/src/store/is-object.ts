import { createHash } from "node:crypto";
import type { ObjectRef } from "./model-store.js";

/** Whether bytes are those that an object is named by. */
export function isObject(bytes: Uint8Array, { hash, size }: ObjectRef): boolean {
  return bytes.byteLength === size && createHash("sha256").update(bytes).digest("hex") === hash;
}
