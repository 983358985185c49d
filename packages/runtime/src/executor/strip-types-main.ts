import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { strippedName } from "../client/stripped-name.js";

/** Program that takes the types out of the scripts of a folder; its arguments are that folder and the one to write to. */
const [from = "", to = ""] = process.argv.slice(2);

for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.m?ts$/.test(entry.name)) continue;
  const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
  const stripped = withoutTypes(text);
  if (stripped !== undefined) writeFileSync(join(to, strippedName(text)), stripped);
}

function withoutTypes(text: string): string | undefined {
  try {
    return stripTypeScriptTypes(text);
  } catch {
    // The trainer's own loader says what is wrong with it, where somebody reads it.
    return undefined;
  }
}
