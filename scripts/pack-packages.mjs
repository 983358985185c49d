// npm run packed: writes the packages of this repository, as they would be published, to packed/. For machines that install them from
// files. What is private stays here.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./bootstrap/run-command.mjs";
import { workspaceFolders } from "./bootstrap/workspace-folders.mjs";

const folders = [];
for (const folder of workspaceFolders()) {
  const { private: isPrivate = false, files = [] } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  if (isPrivate) continue;
  if (files.includes("dist") && !existsSync(join(root, folder, "dist"))) {
    process.stderr.write(`${folder} is not built; npm run build builds it.\n`);
    process.exit(1);
  }
  folders.push(folder);
}
const target = join(root, "packed");
rmSync(target, { recursive: true, force: true });
mkdirSync(target);
const workspaces = folders.flatMap((folder) => ["--workspace", folder]);
const { status } = spawnSync("npm", ["pack", "--silent", "--pack-destination", target, ...workspaces], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
