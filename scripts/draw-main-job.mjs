// Runs the main job and draws what it showed, for the README: docs/images/main-job.svg. The rounds in the middle are left out.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./bootstrap/run-command.mjs";
import { setUp } from "./bootstrap/set-up.mjs";
import { terminalPicture } from "./docs/terminal-picture.mjs";

await setUp();
const result = spawnSync("node", ["examples/breast-cancer/src/run.ts"], {
  cwd: root,
  encoding: "utf8",
  env: { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}`, FORCE_COLOR: "1" },
});
if (result.status !== 0) throw new Error(`the main job failed:\n${result.stdout}${result.stderr}`);
const lines = result.stdout.trimEnd().split("\n");
const from = lines.findIndex((line) => line.includes("round 3"));
const to = lines.findLastIndex((line) => line.includes("round 14"));
const shown = [...lines.slice(0, from), "⋮", ...lines.slice(to)].filter((line) => !line.includes("best model so far"));
mkdirSync(join(root, "docs", "images"), { recursive: true });
writeFileSync(
  join(root, "docs", "images", "main-job.svg"),
  terminalPicture(
    ["$ npm start", ...shown],
    "npm start: three hospitals train a model together, round by round, and a table compares the result",
  ),
);
process.stdout.write("Wrote docs/images/main-job.svg\n");
