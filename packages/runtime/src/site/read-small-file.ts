import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type ContentHash, limits } from "@flare-ts/contracts";
import type { SiteResult } from "../store/site-store.js";

/** A file in memory, named by its hash; `undefined` for one that is larger than what travels inside messages. */
export function readSmallFile(path: string): Required<Pick<SiteResult, "update" | "bytes">> | undefined {
  if (statSync(path).size > limits.inlineBytes) return undefined;
  const bytes = readFileSync(path);
  // It may have grown meanwhile.
  if (bytes.byteLength > limits.inlineBytes) return undefined;
  const hash = createHash("sha256").update(bytes).digest("hex") as ContentHash;
  return { update: { hash, size: bytes.byteLength }, bytes };
}
