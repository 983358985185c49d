import { readFileSync, statSync } from "node:fs";
import { limits } from "@flare-ts/contracts";

/** Text of a file that a person wrote; `undefined` when there is none, it cannot be read, or it is too large. */
export function readSmallFile(file: string): string | undefined {
  try {
    const info = statSync(file);
    return info.isFile() && info.size <= limits.documentBytes ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
