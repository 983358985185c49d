import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const command = join(import.meta.dirname, "../dist/flare-client.js");
let folder: string;
let python: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-client-"));
  python = join(folder, "a python");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("is the command of the Python client that comes along, by the interpreter that is named", async () => {
  await writeFile(python, '#!/bin/sh\necho "$PYTHONPATH"\nprintf "[%s]" "$@"\nexit 7\n', { mode: 0o755 });
  const env = { ...process.env, FLARE_PYTHON: python, PYTHONPATH: "/mine" };
  const { status, stdout } = spawnSync(process.execPath, [command, "attach", "--id", "mri", "my train.py"], { env, encoding: "utf8" });
  const [path = "", args] = stdout.split("\n");
  expect([status, args]).toEqual([7, "[-m][flare_client][attach][--id][mri][my train.py]"]);
  const [client = "", mine] = path.split(":");
  expect(mine).toBe("/mine");
  expect(await readFile(join(client, "flare_client/__main__.py"), "utf8")).toContain("flare-client");
});

it("passes a stop on to the script", async () => {
  await writeFile(python, '#!/bin/sh\ntrap "exit 3" TERM\necho begun\nwhile :; do sleep 0.05; done\n', { mode: 0o755 });
  const started = spawn(process.execPath, [command, "run", "train.py"], { env: { ...process.env, FLARE_PYTHON: python } });
  await once(started.stdout, "data");
  started.kill("SIGTERM");
  expect(await once(started, "exit")).toEqual([3, null]);
});

it("says which interpreter is not there", () => {
  const env = { ...process.env, FLARE_PYTHON: join(folder, "nowhere") };
  const { status, stderr } = spawnSync(process.execPath, [command, "run", "train.py"], { env, encoding: "utf8" });
  expect(status).toBe(127);
  expect(stderr).toContain("nowhere cannot be run");
});
