import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Place, places } from "./split-table.ts";

/** The committed table of a place, as text. */
export function readPlace(place: Place): string {
  return readFileSync(join(import.meta.dirname, "..", "data", place, "wdbc.csv"), "utf8");
}

/** The whole table, put together from the committed ones. */
export function readWholeTable(): string {
  const tables = (Object.keys(places) as Place[]).map((place) => readPlace(place).trimEnd().split("\n"));
  const header = tables[0]?.[0] ?? "";
  return `${[header, ...tables.flatMap((lines) => lines.slice(1))].join("\n")}\n`;
}
