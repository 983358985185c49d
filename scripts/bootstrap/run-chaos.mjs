import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runCommand } from "./run-command.mjs";

const flare = "apps/cli/dist/flare.js";

/** Makes a federation of two sites in a temporary folder, lets `flare chaos` loose on it, and removes it when all was well. */
export async function runChaos(args) {
  const folder = await mkdtemp(join(tmpdir(), "flare-chaos-"));
  const env = { NVFLARE_POC_WORKSPACE: join(folder, "poc"), HOME: folder };
  const prepared = await runCommand("node", [flare, "poc", "prepare", "-n", "2", "--format", "jsonl"], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const status = prepared === 0 ? await runCommand("node", [flare, "chaos", ...args], { env }) : prepared;
  if (status !== 0) process.stderr.write(`Everything is kept in ${folder}.\n`);
  else await rm(folder, { recursive: true, force: true });
  return status;
}
