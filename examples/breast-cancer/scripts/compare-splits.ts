import { parseTable } from "../job/app/custom/table.ts";
import { compare } from "../src/evaluate.ts";
import { readWholeTable } from "../src/read-whole-table.ts";
import { simulate } from "../src/simulate.ts";
import { splitTable } from "../src/split-table.ts";

/** Prints the mean held-out accuracy of each model over 40 other splits, with federations in this process. */
const splits = 40;
const sums = new Map<string, number>();
for (let seed = 1; seed <= splits; seed += 1) {
  const tables = new Map([...splitTable(readWholeTable(), seed * 977)].map(([place, text]) => [place, parseTable(text, place)]));
  for (const { name, accuracy } of compare(tables, simulate)) sums.set(name, (sums.get(name) ?? 0) + accuracy);
}
for (const [name, sum] of sums) console.log(`${name.padEnd(12)}${(sum / splits).toFixed(3)}`);
