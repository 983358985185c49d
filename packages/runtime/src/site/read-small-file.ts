import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { type ContentHash, limits } from "@flare-ts/contracts";
import type { SiteResult } from "../store/site-store.js";

/** A file in memory, named by its hash; `undefined` for one that is larger than what travels inside messages. */
export async function readSmallFile(path: string): Promise<Required<Pick<SiteResult, "update" | "bytes">> | undefined> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > limits.inlineBytes) return undefined;
    const bytes = await file.readFile();
    // It may have grown meanwhile.
    if (bytes.byteLength > limits.inlineBytes) return undefined;
    const hash = createHash("sha256").update(bytes).digest("hex") as ContentHash;
    return { update: { hash, size: bytes.byteLength }, bytes };
  } finally {
    await file.close();
  }
}
