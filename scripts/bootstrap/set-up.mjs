import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root, runCommand } from "./run-command.mjs";
import { workspaceFolders } from "./workspace-folders.mjs";

/** Oldest Node that the built code runs on. */
const oldest = [22, 13];

/** Installs what the lock file names, unless it is there, and builds what has changed. */
export async function setUp() {
  if (!isInstalled()) await install();
  requireNode();
  const status = await runCommand("turbo", ["run", "build", "--output-logs=errors-only", "--log-prefix=task"]);
  if (status !== 0) throw new Error(`The build failed (status ${status}); its messages are above.`);
  linkCommands();
}

/** Whether node_modules holds what package-lock.json names. npm notes what it installed when it has finished, and only then. */
function isInstalled() {
  if (!existsSync(join(root, "node_modules", ".bin", "turbo"))) return false;
  try {
    const wanted = readLock("package-lock.json");
    const present = readLock(join("node_modules", ".package-lock.json"));
    return (
      Object.entries(present).every(([path, entry]) => isSame(entry, wanted[path])) &&
      Object.entries(wanted).every(
        ([path, entry]) => path === "" || path in present || entry.optional === true || entry.devOptional === true,
      )
    );
  } catch {
    return false;
  }
}

function readLock(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8")).packages;
}

function isSame(present, wanted) {
  return (
    wanted !== undefined && present.version === wanted.version && present.integrity === wanted.integrity && present.link === wanted.link
  );
}

async function install() {
  process.stderr.write("Installing what package-lock.json names (once; a minute or two).\n");
  // Warnings are about the Node that npm runs on, and nothing else runs on it.
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  // npm says how it was called; so the same npm is used when it is not on the PATH.
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith(".js") ? [process.execPath, [npm]] : [npm ?? "npm", []];
  let status;
  try {
    status = await runCommand(command, [...first, ...args]);
  } catch {
    throw new Error("npm was not found. It comes with Node (nodejs package, or nodejs.org); install it and run this again.");
  }
  if (status === 130 || status === 143) process.exit(status);
  if (status !== 0) {
    throw new Error(
      `npm ci failed with status ${status}; its messages are above. It needs the package registry that npm is configured for, ` +
        "or a filled npm cache (npm config set prefer-offline true). Run the same command again: nothing has to be cleaned first.",
    );
  }
}

function requireNode() {
  if (existsSync(join(root, "node_modules", ".bin", "node"))) return;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  throw new Error(
    `The package 'node', which brings the Node that everything runs on, has no binary here, and this Node is ${process.versions.node}. ` +
      `Either let its install script run (npm config set ignore-scripts false, then npm ci), or use Node ${oldest.join(".")} or newer.`,
  );
}

/** npm links commands of workspaces only when they are there at install time, and these are built later. */
function linkCommands() {
  for (const folder of workspaceFolders()) {
    const { bin = {} } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    for (const [command, file] of Object.entries(bin)) {
      if (!existsSync(join(root, folder, file))) continue;
      const link = join(root, "node_modules", ".bin", command);
      rmSync(link, { force: true });
      symlinkSync(join("..", "..", folder, file), link);
    }
  }
}
