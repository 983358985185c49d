// Writes the pages that are made from code: docs/errors.md and docs/limits.md. The gate `docs` refuses stale ones.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./bootstrap/run-command.mjs";
import { generatedPages } from "./docs/generated-pages.mjs";

for (const [path, text] of await generatedPages()) {
  writeFileSync(join(root, path), text);
  process.stdout.write(`Wrote ${path}\n`);
}
