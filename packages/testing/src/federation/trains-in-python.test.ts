import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeSafetensors } from "@flare-ts/aggregator";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf, processesWith } from "./process-tree.js";

const example = fileURLToPath(new URL("../../../../examples/numpy-hello/job", import.meta.url));
const client = fileURLToPath(new URL("../../../../clients/python/src", import.meta.url));
const python = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import numpy"]).status === 0,
);

describe.skipIf(python === undefined)("trainers in Python with NumPy (Debian package python3-numpy)", () => {
  const sites = ["site-1", "site-2"];
  let federation: Federation;
  let folder: string;

  beforeAll(async () => {
    process.env["FLARE_PYTHON"] = python;
    folder = await mkdtemp(join(tmpdir(), "flare-python-"));
    federation = await createFederation({ sites });
    await federation.startAll();
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(["full", "diff"])("add 1 in each of three rounds, sent as %s", async (updateType) => {
    const entries = await run(await jobWith({ args: `--update_type ${updateType}` }));
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    expect(await result(entries)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("are started again where one is killed, and the result is the same", async () => {
    // The round lasts until that is done.
    const held = `while received.current_round == 1 and not os.path.exists("go-1"): time.sleep(0.01)`;
    const job = await jobWith({ prologue: `import os, time\n    ${held}` });
    let victim: number | undefined;
    const entries = await run(job, async ({ event, jobId }) => {
      if (event.type !== "round-opened" || event.round !== 1) return;
      victim = await eventually("a trainer runs", () => trainerOf(federation.pidOf("site-1") ?? 0));
      process.kill(victim, "SIGKILL");
      for (const site of sites) await letGo(federation, jobId, site, 1);
    });
    expect(victim).toBeDefined();
    expect(await result(entries)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("leave nothing running that they have started, whatever session it is in", async () => {
    const seconds = `${process.pid}.25`;
    const start = `import subprocess; subprocess.Popen(["sleep", "${seconds}"], start_new_session=True)`;
    const entries = await run(await jobWith({ prologue: start }));
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    await eventually("what they have started is gone", () => processesWith(`sleep ${seconds}`).length === 0);
  });

  it("that fail say so at the server, and why in the site's own log, which does not leave it", async () => {
    const entries = await run(await jobWith({ prologue: "raise ValueError('no data here')" }));
    const failed = entries.find(({ event }) => event.type === "task-failed")?.event;
    expect(failed).toMatchObject({ error: { code: "client-api/trainer-died" } });
    expect(JSON.stringify(failed)).not.toContain("no data here");
    expect(await trainerLog("site-1", entries[0]?.jobId ?? "")).toContain("ValueError: no data here");
  });

  it("may be started by hand, and find their job", async () => {
    const job = await jobWith({});
    const config = join(job, "app", "config", "config_fed_client.json");
    const executor = { path: "ClientAPIExecutor", args: { execution_mode: "attach", attach_id: "by-hand" } };
    await writeFile(config, JSON.stringify({ format_version: 2, executors: [{ tasks: ["train"], executor }] }));
    const byHand = sites.map((site) => {
      const script = join(job, "app", "custom", "client.py");
      const words = ["-m", "flare_client", "attach", "--folder", join(federation.kitOf(site), "attach"), script, "--update_type", "full"];
      return spawn(python ?? "", words, { env: { ...process.env, PYTHONPATH: client }, stdio: "ignore" });
    });
    const ended = byHand.map(async (child) => once(child, "exit"));
    expect(await result(await run(job))).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect((await Promise.all(ended)).map(([code]) => code as number)).toEqual([0, 0]);
    for (const site of sites) {
      const left = async (): Promise<boolean> => (await readdir(join(federation.kitOf(site), "attach"))).length === 0;
      await eventually("the folder for trainers is empty", left);
    }
  });

  async function jobWith({ args = "", prologue = "" }): Promise<string> {
    const job = await mkdtemp(join(folder, "job-"));
    await cp(example, job, { recursive: true });
    const config = join(job, "app", "config", "config_fed_client.json");
    const script = join(job, "app", "custom", "client.py");
    await writeFile(config, (await readFile(config, "utf8")).replace("--update_type full", args));
    await writeFile(script, (await readFile(script, "utf8")).replace("    trained =", `    ${prologue}\n    trained =`));
    return job;
  }

  async function run(job: string, onEntry: (entry: JournalEntry) => void | Promise<void> = () => undefined): Promise<JournalEntry[]> {
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(job);
    admin.close();
    return await followJob(federation, jobId, onEntry);
  }

  async function trainerLog(site: string, jobId: string): Promise<string> {
    const jobFolder = join(federation.kitOf(site), jobId);
    const names = await readdir(jobFolder, { recursive: true });
    return await readFile(join(jobFolder, names.find((name) => name.endsWith("trainer.log")) ?? "no trainer.log"), "utf8");
  }

  async function result(entries: readonly JournalEntry[]): Promise<number[]> {
    const jobId = entries[0]?.jobId ?? "";
    const admin = await federation.admin();
    const { dir, files } = await admin.downloadJob(jobId, join(folder, jobId));
    admin.close();
    const model = files.find(({ path }) => path.endsWith("FL_global_model.safetensors"));
    const tensors = new Map(decodeSafetensors(await readFile(join(dir, model?.path ?? "")), "result"));
    return Array.from(tensors.get("numpy_key")?.data as Float32Array);
  }
});

/** Process number of the trainer below a site's parent process. */
function trainerOf(site: number): number | undefined {
  return descendantsOf(site).find(({ commandLine }) => commandLine.includes("flare_client"))?.pid;
}
