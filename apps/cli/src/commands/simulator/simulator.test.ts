import { appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockWorkspace } from "@flare-ts/provision";
import { eventually, processesWith, writeAddOneJob } from "@flare-ts/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

describe("flare simulator", () => {
  let folder: FlareFolder;
  beforeAll(async () => {
    folder = await flareFolder();
    await writeAddOneJob({ folder: join(folder.path, "add-one"), rounds: 2 });
    const meta = { name: "add-one", deploy_map: { app: ["@ALL"] }, study: "lungs", scope: "public" };
    await writeFile(join(folder.path, "add-one", "meta.json"), JSON.stringify(meta));
    await appendFile(
      join(folder.path, "add-one", "app", "custom", "train.js"),
      'console.log("devices", process.env["CUDA_VISIBLE_DEVICES"]);\n',
    );
    await writeAddOneJob({ folder: join(folder.path, "endless"), rounds: 1000, trainMs: 50 });
  });
  afterAll(() => folder.remove());

  it("runs a job from its folder to its model, and leaves it with the logs, and no process", async () => {
    const { exitCode, stdout } = await folder.run("simulator", "add-one", "-n", "2", "-gpu", "[4,5],6", "-l", "DEBUG");
    // A job that is for a study and a scope runs too.
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^A server and 2 sites \(site-1, site-2\) start in .+simulator_workspace\.$/m);
    expect(stdout).toMatch(/^round 1 {2}mean 2\.5000 {2}updates 2\/2 /m);
    expect(stdout).toMatch(/^Result in .+server\/simulate_job:\n {2}models\/FL_global_model\.safetensors /m);
    const workspace = join(folder.path, "simulator_workspace");
    expect(await readdir(join(workspace, "server", "simulate_job", "models"))).toContain("FL_global_model.safetensors");
    const log = (site: string): Promise<string> => readFile(join(workspace, site, "simulate_job", "trainer.log"), "utf8");
    expect(await log("site-1")).toContain("devices 4,5\n");
    expect(await log("site-2")).toContain("devices 6\n");
    expect(await readFile(join(workspace, "site-1", "local", "log_config.json"), "utf8")).toContain('"debug"');
    expect(processesWith(folder.path)).toEqual([]);
  });

  it("has its workspace to itself, stops at Ctrl-C, and ends what a run that was killed has left", async () => {
    const first = folder.start("simulator", "endless", "-w", "one", "-n", "1");
    await first.printed(/^round 0 /m);
    expect(await folder.run("simulator", "add-one", "-w", "one")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("error project/locked: process ") as string,
    });
    first.child.kill("SIGKILL");
    await first.finished;
    expect(processesWith(folder.path)).not.toEqual([]);
    const second = folder.start("simulator", "endless", "-w", "one", "-n", "1");
    await second.printed(/^Ended what an earlier run has left running: site-1, server\.\nReplaces the run of job endless of /m);
    await second.printed(/^round 0 /m);
    second.child.kill("SIGINT");
    expect(await second.finished).toMatchObject({
      exitCode: 130,
      stderr: expect.stringContaining("error simulator/stopped: ") as string,
    });
    expect(processesWith(folder.path)).toEqual([]);
    expect(await readdir(join(folder.path, "one", "site-1", "simulate_job"))).toContain("trainer.log");
  });

  it("leaves nothing when it is told twice to stop, and so does not wait for what it has started", async () => {
    const running = folder.start("simulator", "endless", "-w", "twice", "-n", "1");
    await running.printed(/^round 0 /m);
    running.child.kill("SIGINT");
    await running.printed(/once more stops at once/);
    running.child.kill("SIGINT");
    expect((await running.finished).exitCode).toBe(130);
    await eventually("all have ended", () => processesWith(folder.path).length === 0);
  });

  it("stops with its standard input where it is told to, and waits for a run before it that may be stopping so", async () => {
    await mkdir(join(folder.path, "held"));
    const unlock = await lockWorkspace(join(folder.path, "held"));
    const running = folder.hold("simulator", "endless", "-w", "held", "-n", "1", "--stop-with-input");
    await running.printed(/^Waits: process \d+ on .+ is at work in this workspace/m);
    await unlock();
    await running.printed(/^round 0 /m);
    running.child.stdin?.end();
    expect(await running.finished).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error simulator/stopped: ") as string });
    expect(processesWith(folder.path)).toEqual([]);
  });

  it("starts nothing where its standard input has ended before", async () => {
    const { exitCode, stderr } = await folder.run("simulator", "endless", "-w", "fed", "-n", "1", "--stop-with-input");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining("error simulator/stopped: ") as string });
    expect(processesWith(folder.path)).toEqual([]);
  });

  it("says in one envelope how a job failed, and what its script printed last", async () => {
    await writeAddOneJob({ folder: join(folder.path, "failing"), rounds: 1, failingSite: "site-1" });
    const { exitCode, stdout } = await folder.run("simulator", "failing", "-w", "failed", "-n", "1", "--format", "json");
    expect(exitCode).toBe(1);
    const envelope = JSON.parse(stdout) as { readonly problems: readonly { readonly message: string }[] };
    expect(envelope).toMatchObject({
      error_code: "cli/job-not-completed",
      facts: { status: "FINISHED:EXECUTION_EXCEPTION", logs: { "site-1": join(folder.path, "failed", "site-1", "log.txt") } },
    });
    expect(envelope.problems[0]?.message).toContain("this trainer fails on purpose");
    expect(processesWith(folder.path)).toEqual([]);
  });

  it("starts nothing and makes nothing for a job with a mistake", async () => {
    await mkdir(join(folder.path, "broken"));
    await writeFile(join(folder.path, "broken", "meta.json"), '{\n  "name": "broken",\n  "deploy_mapp": { "app": ["@ALL"] }\n}\n');
    const { exitCode, stdout, stderr } = await folder.run("simulator", "broken", "-w", "unmade");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/meta\.json:3:\d+: unknown key 'deploy_mapp'; did you mean 'deploy_map'\?/);
    expect(await readdir(folder.path)).not.toContain("unmade");
  });
});
