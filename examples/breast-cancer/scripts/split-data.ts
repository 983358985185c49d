import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { splitTable } from "../src/split-table.ts";

/**
 * Writes the tables of the three hospitals and of the held-out patients from the whole table:
 * `node scripts/split-data.ts <wdbc.csv>`.
 */
const source = process.argv[2];
if (source === undefined) throw new Error("usage: node scripts/split-data.ts <wdbc.csv>");
for (const [name, text] of splitTable(readFileSync(source, "utf8"))) {
  const folder = join(import.meta.dirname, "..", "data", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "wdbc.csv"), text);
}
