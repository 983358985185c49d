import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Keeps figures as JSON in `benchmarks/results/<name>.json`, and gives that text. */
export function keepResult(name: string, result: object): string {
  const folder = join(import.meta.dirname, "..", "..", "results");
  mkdirSync(folder, { recursive: true });
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  writeFileSync(join(folder, `${name}.json`), text);
  return text;
}
