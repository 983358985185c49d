// npm run packed: writes the packages of this repository, as they would be published, to packed/. For machines that install them from
// files. What is private stays here.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname, "..");
const folders = globSync("{packages,apps,clients}/*/package.json", { cwd: root })
  .filter((manifest) => JSON.parse(readFileSync(join(root, manifest), "utf8")).private !== true)
  .map(dirname)
  .sort();
for (const folder of folders) {
  const { files = [] } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  if (!files.includes("dist") || existsSync(join(root, folder, "dist"))) continue;
  process.stderr.write(`${folder} is not built; npm run build builds it.\n`);
  process.exit(1);
}
const target = join(root, "packed");
rmSync(target, { recursive: true, force: true });
mkdirSync(target);
const workspaces = folders.flatMap((folder) => ["--workspace", folder]);
const { status } = spawnSync("npm", ["pack", "--silent", "--pack-destination", target, ...workspaces], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
