import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { earlierLog } from "./bounded-log.js";
import { hideSecrets } from "./hide-secrets.js";

export interface OutputTailInit {
  /** Where to begin at the earliest. */
  readonly from: number;
  /** @default 20 */
  readonly lines?: number;
  /** What is not to stand in them. */
  readonly secrets: readonly string[];
}

/** The last lines that were written to a file, without secrets; each is cut to 300 characters. */
export async function readOutputTail(file: string, { lines = 20, secrets, ...init }: OutputTailInit): Promise<string[]> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const beganAnew = existsSync(earlierLog(file));
    const from = init.from > size ? 0 : init.from;
    const start = Math.max(from, size - lines * 1200);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    await handle.read(bytes, 0, bytes.length, start);
    const text = bytes.toString("utf8").trimEnd();
    const all = (start > from || beganAnew ? withoutPart(text, secrets) : text).split("\n");
    // Hidden before anything is cut: half a secret would not be known again.
    const told = hideSecrets(all.length === 1 && all[0] === "" ? [] : all.slice(-lines), secrets);
    return told.map((line) => line.slice(0, 300));
  } finally {
    await handle.close();
  }
}

/** Where reading began, a secret may have been cut in two: the rest of that line goes, or what may be the secret's where it has no end. */
function withoutPart(text: string, secrets: readonly string[]): string {
  const end = text.indexOf("\n");
  return text.slice(end < 0 ? Math.max(0, ...secrets.map((secret) => secret.length)) : end + 1);
}
