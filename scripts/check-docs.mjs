// The gate `docs`: links resolve, commands run, pages made from code are fresh.
//
// A fenced block of commands (```sh) says what becomes of it:
//   ```sh run    the gate runs it, together with the other such blocks of its page, from top to bottom
//   ```sh run needs-numpy   likewise, where there is a Python with that module; elsewhere the page is skipped with a line that says so
//   ```sh ci     .ci/run runs each line of it, because it takes long or needs a bare machine
// A block without such a word is refused, so that no command in the pages goes unrun. Output and files are other languages.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import process from "node:process";
import { root } from "./bootstrap/run-command.mjs";
import { generatedPages } from "./docs/generated-pages.mjs";
import { readMarkdown } from "./docs/read-markdown.mjs";
import { runPage } from "./docs/run-block.mjs";

const problems = [];
const paths = globSync(
  [
    "*.md",
    "docs/**/*.md",
    "packages/*/README.md",
    "apps/*/README.md",
    "examples/*/README.md",
    "clients/*/README.md",
    "benchmarks/README.md",
  ],
  { cwd: root },
);
const pages = new Map(paths.map((path) => [path, readMarkdown(readFileSync(join(root, path), "utf8"))]));
const ciScript = readFileSync(join(root, ".ci", "run"), "utf8");
const only = process.argv.slice(2);

for (const [path, page] of pages) {
  checkLinks(path, page);
  const runnable = [];
  for (const block of page.blocks) {
    if (!["sh", "bash", "shell", "console"].includes(block.language)) continue;
    if (block.words.includes("run")) runnable.push(block);
    else if (block.words.includes("ci")) checkInCi(path, block);
    else problems.push(`${path}:${block.line}: the commands are neither marked 'run' nor 'ci'`);
  }
  const lacking = missingModules(runnable);
  if (lacking.length > 0 && (only.length === 0 || only.includes(path))) {
    const packages = lacking.map((name) => `python3-${name}`).join(", ");
    process.stdout.write(`${path}: skipped; it needs a Python with ${lacking.join(" and ")} (Debian: ${packages})\n`);
    if (process.env.FLARE_NO_SKIPS === "1") problems.push(`${path} was skipped`);
  } else if (runnable.length > 0 && (only.length === 0 || only.includes(path))) {
    const start = Date.now();
    const failure = runPage(runnable);
    process.stdout.write(
      `${path}: ${failure === undefined ? "its commands run" : "a command fails"} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`,
    );
    if (failure !== undefined) problems.push(`${path}: ${failure}`);
  }
}
for (const [path, text] of await generatedPages()) {
  if (!existsSync(join(root, path)) || readFileSync(join(root, path), "utf8") !== text)
    problems.push(`${path} is stale; run node scripts/generate-docs.mjs`);
}
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${pages.size} pages: ${problems.length === 0 ? "links resolve, commands run" : `${problems.length} problems`}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Modules of Python that blocks need and that no Python here has. */
function missingModules(blocks) {
  const needed = blocks.flatMap(({ words }) =>
    words.filter((word) => word.startsWith("needs-")).map((word) => word.slice("needs-".length)),
  );
  const pythons = [process.env.FLARE_PYTHON ?? "python3", "/usr/bin/python3"];
  const has = (name) => pythons.some((python) => spawnSync(python, ["-c", `import ${name}`]).status === 0);
  return [...new Set(needed)].filter((name) => !has(name));
}

function checkLinks(path, page) {
  for (const { target, line } of page.links) {
    if (/^[a-z]+:/.test(target)) continue;
    const [file = "", anchor] = target.split("#");
    const resolved = file === "" ? path : normalize(join(dirname(path), file));
    if (!existsSync(join(root, resolved))) {
      problems.push(`${path}:${line}: ${target} does not exist`);
    } else if (anchor !== undefined && anchor !== "" && statSync(join(root, resolved)).isFile()) {
      const anchors = (pages.get(resolved) ?? readMarkdown(readFileSync(join(root, resolved), "utf8"))).anchors;
      if (!anchors.has(anchor)) problems.push(`${path}:${line}: ${target} names no heading`);
    }
  }
}

function checkInCi(path, block) {
  for (const line of block.lines.map((text) => text.replace(/\s*#.*$/, "").trim())) {
    if (line !== "" && !ciScript.includes(line)) problems.push(`${path}:${block.line}: .ci/run does not run '${line}'`);
  }
}
