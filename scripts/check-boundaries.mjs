// The gate `boundaries`: who may import whom. The table is scripts/boundaries/table.mjs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./bootstrap/run-command.mjs";
import { workspaceFolders } from "./bootstrap/workspace-folders.mjs";
import { checkPackage, findCycles } from "./boundaries/check-package.mjs";
import { selfTest } from "./boundaries/self-test.mjs";
import { boundaries } from "./boundaries/table.mjs";

const problems = selfTest().map((line) => `the gate itself is broken, ${line}`);
const folders = workspaceFolders();
const manifests = new Map(folders.map((folder) => [folder, JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"))]));
const entries = new Set(
  [...manifests.values()].flatMap((manifest) => Object.keys(manifest.exports ?? {}).map((entry) => join(manifest.name, entry))),
);

let fileCount = 0;
for (const [folder, manifest] of manifests) {
  const rule = boundaries[folder];
  if (rule === undefined) {
    problems.push(`${folder} is not in scripts/boundaries/table.mjs`);
    continue;
  }
  const files = sourceFiles(folder);
  fileCount += files.size;
  const { offences, graph } = checkPackage({ folder, manifest, rule, files, entries });
  problems.push(...offences, ...findCycles(graph).map((cycle) => `${folder}: files import each other in a circle: ${cycle}`));
}

const packages = new Map(
  [...manifests.values()].map((manifest) => [manifest.name, Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })]),
);
problems.push(...findCycles(packages).map((cycle) => `packages depend on each other in a circle: ${cycle}`));

for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(
  `${fileCount} files of ${manifests.size} packages: ${problems.length === 0 ? "every import is allowed" : `${problems.length} problems`}\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

/** TypeScript sources of a package by path; generated and built ones are not anybody's choice. */
function sourceFiles(folder) {
  const files = new Map();
  for (const top of ["src", "test"]) {
    if (!existsSync(join(root, folder, top))) continue;
    for (const name of readdirSync(join(root, folder, top), { recursive: true })) {
      if (!/\.([cm]?ts|tsx)$/.test(name) || name.includes("generated") || name.includes("node_modules")) continue;
      files.set(join(top, name), readFileSync(join(root, folder, top, name), "utf8"));
    }
  }
  return files;
}
