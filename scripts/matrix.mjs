// Runs the main job on every other Node that is supported. The toolchain's own one is what `npm start` runs on.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runCommand } from "./bootstrap/run-command.mjs";
import { setUp } from "./bootstrap/set-up.mjs";

const versions = ["22.23.3", "24.21.0"];

await setUp();
const folder = mkdtempSync(join(tmpdir(), "flare-node-"));
try {
  for (const [version, node] of await Promise.all(versions.map(async (each) => [each, await install(each)]))) {
    process.stdout.write(`\nNode ${version}\n`);
    const status = await runCommand(node, ["examples/breast-cancer/src/run.ts"]);
    if (status !== 0) throw new Error(`The main job failed on Node ${version} (status ${status}).`);
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Installs a Node for this run, and gives the path of its program. */
async function install(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = join(folder, version);
  const args = ["install", "--prefix", prefix, "--no-audit", "--no-fund", "--loglevel=error", `${name}@${version}`];
  const status = await runCommand("npm", args);
  if (status !== 0) throw new Error(`Node ${version} cannot be installed (npm status ${status}).`);
  return join(prefix, "node_modules", name, "bin", "node");
}
