import { open } from "node:fs/promises";

/** The last lines that were written to a file after `from`; each is cut to 300 characters. */
export async function readOutputTail(file: string, from: number, lines = 20): Promise<string[]> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - lines * 1200);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    await handle.read(bytes, 0, bytes.length, start);
    const all = bytes.toString("utf8").trimEnd().split("\n");
    return (all.length === 1 && all[0] === "" ? [] : all.slice(-lines)).map((line) => line.slice(0, 300));
  } finally {
    await handle.close();
  }
}
