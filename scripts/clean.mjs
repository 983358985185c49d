// Removes what runs leave behind: `.flare/`, after stopping what still runs in it. With `--all` also every build output
// and the installed packages.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { root, runCommand } from "./bootstrap/run-command.mjs";
import { workspaceFolders } from "./bootstrap/workspace-folders.mjs";

const runFolder = join(root, ".flare");
const flare = join(root, "apps", "cli", "dist", "flare.js");
for (const kit of existsSync(flare) ? kitsInUse(runFolder) : []) {
  // The command knows whether the process of a pid file is still that process.
  const kind = ["client", "relay"].find((each) => existsSync(join(kit, "startup", `fed_${each}.json`))) ?? "server";
  const status = await runCommand("node", [flare, kind, "stop", kit]);
  if (status !== 0) process.exit(status);
}
rmSync(runFolder, { recursive: true, force: true });
process.stdout.write("Removed .flare\n");

if (process.argv.includes("--all")) {
  for (const folder of workspaceFolders()) {
    for (const name of ["dist", "coverage", ".turbo", "node_modules"]) rmSync(join(root, folder, name), { recursive: true, force: true });
  }
  for (const name of [".turbo", "node_modules"]) rmSync(join(root, name), { recursive: true, force: true });
  process.stdout.write("Removed build outputs and node_modules\n");
}

/** Folders of kits below a folder that some process has claimed. */
function kitsInUse(folder) {
  if (!existsSync(folder)) return [];
  const claims = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith("pid.fl"));
  return [...new Set(claims.map((name) => dirname(join(folder, name))))];
}
