import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { letGo, writeAddOneJob } from "@flare-ts/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataHere, runHere } from "../../flare-here.test-support.js";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

interface PocData {
  readonly folder: string;
  readonly services: readonly { readonly name: string; readonly kit: string; readonly pid: number | null; readonly state: string }[];
}

describe("a POC federation", () => {
  let folder: FlareFolder;
  beforeAll(async () => {
    folder = await flareFolder();
    // The usual port may be looked at by two at once.
    await folder.data("poc", "prepare", "-n", "2", "--port", String(await freePort()));
    await folder.data("poc", "start");
  });
  afterAll(async () => {
    await folder.run("poc", "clean", "--force");
    await folder.remove();
  });

  it("waits for a job in a script: to its end, or no longer than it is told", async () => {
    const jobFolder = join(folder.path, "held");
    await writeAddOneJob({ folder: jobFolder, rounds: 1, holds: { "site-1": [0] } });
    const { job_id: jobId } = (await folder.data("job", "submit", "-j", jobFolder)) as { job_id: string };
    const early = await folder.run("job", "wait", jobId, "--timeout", "0.5");
    expect(early).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("error cli/job-not-over:") as string });
    const watcher = folder.start("job", "wait", jobId, "--format", "json");
    const { services } = (await dataHere(folder, "poc", "status")) as PocData;
    await letGo({ kitOf: (name) => services.find((service) => service.name === name)?.kit ?? "" }, jobId, "site-1", 0);
    const { exitCode, stdout } = await watcher.finished;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ data: { job_id: jobId, status: "FINISHED:COMPLETED", reason: "all 1 rounds are done" } });
    await writeAddOneJob({ folder: jobFolder, rounds: 1, failingSite: "site-1", minClients: 2 });
    const failing = (await folder.data("job", "submit", "-j", jobFolder)) as { job_id: string };
    const failed = await folder.run("job", "wait", failing.job_id);
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error cli/job-not-completed:") as string });
  });

  it("runs a job from submission to the downloaded model, all by one-shot commands", async () => {
    const jobFolder = join(folder.path, "add-one");
    await writeAddOneJob({ folder: jobFolder, rounds: 3 });
    const { job_id: jobId } = (await folder.data("job", "submit", "-j", jobFolder)) as { job_id: string };

    const { exitCode, stdout } = await folder.run("job", "monitor", jobId);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^round 2 {2}mean 3\.5000 {2}updates 2\/2 {2}216 B {2}\d+\.\d\d s$/m);
    expect(stdout).toMatch(/^ {2}site-1 {2}mean 3\.5000 {2}weight 17 {2}108 B {2}/m);
    expect(stdout).toMatch(/^job ended: FINISHED:COMPLETED/m);

    const lines = (await folder.run("job", "monitor", jobId, "--format", "jsonl")).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines.at(0)).toMatchObject({ jobId, seq: 1, event: { type: "job-submitted" } });
    expect(lines.at(-1)).toMatchObject({ status: "ok", data: { job_id: jobId, status: "FINISHED:COMPLETED" } });

    expect(await folder.data("job", "list", "-n", "add", "-r", "-m", "1")).toMatchObject([{ job_id: jobId, status: "FINISHED:COMPLETED" }]);
    expect(await dataHere(folder, "job", "list", "-n", "other")).toEqual([]);

    // Rounds have the same numbers wherever they are told.
    expect((await folder.run("job", "metrics", jobId)).stdout).toMatch(/ site-1 {2}mean = [\d.]+ {2}\(round 0, step 0\)$/m);

    const download = ["job", "download", jobId, "-o", "results"];
    const first = (await folder.data(...download)) as { dir: string; files: { path: string; sha256: string }[] };
    expect(first.dir).toBe(join(folder.path, "results", jobId));
    expect(first.files.map((file) => file.path)).toContain("models/FL_global_model.safetensors");
    expect((await folder.run(...download)).stderr).toContain("error cli/output-exists:");
    await writeFile(join(folder.path, "taken"), "");
    expect((await folder.run("job", "download", jobId, "-o", "taken")).stderr).toContain("taken cannot be made: a file is in its place.");
    expect(await folder.data(...download, "--force")).toEqual(first);

    // What was downloaded stays until another result is there to take its place.
    await folder.data("job", "delete", jobId, "--force");
    expect((await folder.run(...download, "--force")).stderr).toContain("error job/not-found:");
    expect(await readdir(join(folder.path, "results"))).toEqual([jobId]);
  });

  it("ends a job that is aborted, and whoever watches it learns so", async () => {
    const jobFolder = join(folder.path, "endless");
    await writeAddOneJob({ folder: jobFolder, rounds: 1000, trainMs: 50 });
    const { job_id: jobId } = (await folder.data("job", "submit", "-j", jobFolder)) as { job_id: string };
    const watcher = folder.start("job", "monitor", jobId);
    await watcher.printed(/^round 1 /m);
    const asked = await runHere(folder, "job", "abort", jobId);
    expect(asked.exitCode).toBe(4);
    expect(asked.stderr).toContain("error cli/not-confirmed:");
    expect(await folder.data("job", "abort", jobId, "--force", "--reason", "enough")).toMatchObject({ status: "FINISHED:ABORTED" });
    expect((await runHere(folder, "job", "abort", jobId.toUpperCase(), "--force")).stdout).toBe(
      `Job ${jobId} was over before, with status FINISHED:ABORTED.\n`,
    );
    const wordy = await runHere(folder, "job", "abort", jobId, "--force", "--reason", "r".repeat(501));
    expect(wordy).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("at most 500 are taken") as string });
    const { exitCode, stderr } = await watcher.finished;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error cli/job-not-completed:");
    expect(stderr).toContain("enough");
  });

  it("lets go of a watched job at Ctrl-C with status 130, and the job goes on", async () => {
    const jobFolder = join(folder.path, "watched");
    await writeAddOneJob({ folder: jobFolder, rounds: 1000, trainMs: 50 });
    const { job_id: jobId } = (await folder.data("job", "submit", "-j", jobFolder)) as { job_id: string };
    const watcher = folder.start("job", "monitor", jobId);
    await watcher.printed(/^round 1 /m);
    watcher.child.kill("SIGINT");
    expect((await watcher.finished).exitCode).toBe(130);
    expect(await dataHere(folder, "job", "list", "-i", jobId)).toMatchObject([{ status: "RUNNING" }]);
    expect(await dataHere(folder, "job", "meta", jobId)).toMatchObject({
      job_id: jobId,
      status: "RUNNING",
      submitter_role: "project_admin",
      end_time_iso: null,
      sites: ["site-1", "site-2"],
    });
    await dataHere(folder, "job", "abort", jobId, "--force");
  });

  it("says what a job waits for that is watched and cannot begin", async () => {
    const jobFolder = join(folder.path, "waiting");
    await writeAddOneJob({ folder: jobFolder, rounds: 1 });
    const meta = JSON.parse(await readFile(join(jobFolder, "meta.json"), "utf8")) as object;
    await writeFile(join(jobFolder, "meta.json"), JSON.stringify({ ...meta, min_clients: 3 }));
    const { job_id: jobId } = (await folder.data("job", "submit", "-j", jobFolder)) as { job_id: string };
    const watcher = folder.start("job", "monitor", jobId);
    await watcher.printed(/^job waits for sites: 2 of 3 are connected$/m);
    await dataHere(folder, "job", "abort", jobId, "--force");
    expect((await watcher.finished).stderr).toContain("FINISHED:ABORTED");
    const { stdout } = await folder.run("job", "download", jobId);
    expect(stdout).toBe(`Downloaded to ${join(folder.path, jobId)}; the job has made no model.\n`);
  });

  it("refuses a job with mistakes before anything is sent, each with its file and line", async () => {
    const jobFolder = join(folder.path, "broken");
    await writeAddOneJob({ folder: jobFolder, rounds: 1 });
    await writeFile(join(jobFolder, "meta.json"), '{\n  "name": "broken",\n  "deploy_mapp": { "app": ["@ALL"] }\n}\n');
    const { exitCode, stderr } = await runHere(folder, "job", "submit", "-j", jobFolder);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/meta\.json:3:\d+: unknown key 'deploy_mapp'; did you mean 'deploy_map'\?/);
  });

  it("keeps what runs: prepare and clean refuse, start leaves it alone", async () => {
    expect((await runHere(folder, "poc", "clean")).stderr).toContain("error poc/running:");
    expect((await runHere(folder, "poc", "prepare")).stderr).toContain("error poc/exists:");
    expect((await runHere(folder, "poc", "prepare", "--force")).stderr).toContain("error poc/running:");
    const before = (await folder.data("poc", "status")) as PocData;
    expect((await folder.run("poc", "start")).stdout).toContain("server already runs");
    expect(((await dataHere(folder, "poc", "status")) as PocData).services.map((one) => one.pid)).toEqual(
      before.services.map((one) => one.pid),
    );
  });

  it("stops and starts single services, and names the nearest when there is none of that name", async () => {
    expect(await folder.data("poc", "stop", "-p", "site-2")).toEqual([{ name: "site-2", outcome: "stopped" }]);
    const states = ((await dataHere(folder, "poc", "status")) as PocData).services.map((one) => one.state);
    expect(states).toEqual(["ready", "ready", "stopped"]);
    await folder.data("poc", "start", "-ex", "server", "site-1");
    expect(((await dataHere(folder, "poc", "status")) as PocData).services.map((one) => one.state)).toEqual(["ready", "ready", "ready"]);
    const none = await runHere(folder, "poc", "stop", "-p", "site-1", "-ex", "site-1");
    expect(none).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("The options leave no service") as string });
    const unknown = await runHere(folder, "poc", "stop", "-p", "site2");
    expect(unknown.exitCode).toBe(4);
    expect(unknown.stderr).toContain("There is no service 'site2'; did you mean 'site-2'?");
  });

  it("shows the sites of the running federation", async () => {
    expect(await folder.data("system", "status")).toMatchObject({
      server: { name: "server", project: "example_project" },
      sites: [
        { name: "site-1", state: "connected" },
        { name: "site-2", state: "connected" },
      ],
    });
  });
});

describe("the POC workspace", () => {
  let folder: FlareFolder;
  beforeAll(async () => {
    folder = await flareFolder();
  });
  afterAll(() => folder.remove());

  it("is asked for when there is none, and is gone after clean", async () => {
    expect((await runHere(folder, "poc", "start")).stderr).toContain("error poc/not-prepared:");
    const data = (await folder.data("poc", "prepare", "-c", "north", "south")) as PocData;
    expect(data.services.map((one) => one.name)).toEqual(["server", "north", "south"]);
    await folder.data("poc", "clean");
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("is never taken from files that are not ours", async () => {
    const poc = join(folder.path, "poc");
    await mkdir(poc);
    await writeFile(join(poc, "thesis.txt"), "the only copy");
    expect((await runHere(folder, "poc", "prepare", "--force")).stderr).toContain("error poc/foreign-folder:");
    expect((await runHere(folder, "poc", "clean", "--force")).stderr).toContain("error poc/not-prepared:");
    expect(await readFile(join(poc, "thesis.txt"), "utf8")).toBe("the only copy");
    await rm(poc, { recursive: true });
  });

  it("is made anew when the command that made it was killed", async () => {
    const killed = folder.start("poc", "prepare", "-n", "8");
    await expect.poll(() => readdir(join(folder.path, "poc")).catch(() => []), { interval: 2 }).toContain("project.yml");
    killed.child.kill("SIGKILL");
    await killed.finished;
    expect(await folder.data("poc", "prepare", "-n", "1")).toMatchObject({ services: [{ name: "server" }, { name: "site-1" }] });
    expect((await readdir(join(folder.path, "poc"))).toSorted()).not.toContain("poc.unfinished");
    await folder.data("poc", "clean");
  });

  it("is prepared by one command at a time, and the other takes nothing away", async () => {
    const first = folder.start("poc", "prepare", "-n", "8");
    await expect.poll(() => readdir(join(folder.path, "poc")).catch(() => []), { interval: 2 }).toContain("project.yml");
    // However fast it is: it is in the middle of it when the other comes.
    first.child.kill("SIGSTOP");
    const { exitCode, stderr } = await folder.run("poc", "prepare", "-n", "1", "--force");
    first.child.kill("SIGCONT");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining("error project/locked: process ") as string });
    expect((await first.finished).exitCode).toBe(0);
    expect(((await dataHere(folder, "poc", "status")) as PocData).services).toHaveLength(9);
    await folder.data("poc", "clean");
  });

  it("is started when the command that fills it has ended, and not replaced while it is started", async () => {
    const first = folder.start("poc", "prepare", "-n", "8", "--port", String(await freePort()));
    await expect.poll(() => readdir(join(folder.path, "poc")).catch(() => []), { interval: 2 }).toContain("project.yml");
    const started = folder.start("poc", "start", "-p", "server", "--no-wait");
    expect((await first.finished).exitCode).toBe(0);
    // The lock of the second command, or, when it is done, the process that it has started.
    let isDone = false;
    void started.finished.then(() => (isDone = true));
    const isLocked = async (): Promise<boolean> => (await readdir(join(folder.path, "poc"))).includes(".provision.lock");
    await expect.poll(async () => isDone || (await isLocked()), { interval: 2 }).toBe(true);
    expect((await folder.run("poc", "prepare", "--force")).stderr).toMatch(/error (project\/locked|poc\/running):/);
    expect((await started.finished).stdout).toMatch(/^server started, /);
    await folder.data("poc", "clean", "--force");
  });

  it("stays when what shall replace it has a mistake", async () => {
    await dataHere(folder, "poc", "prepare", "-n", "1");
    expect((await runHere(folder, "poc", "prepare", "--force", "-c", "a", "a")).stderr).toContain("error project/invalid:");
    expect(await dataHere(folder, "poc", "status")).toMatchObject({ services: [{ name: "server" }, { name: "site-1" }] });
    await dataHere(folder, "poc", "clean");
  });

  it("of which nobody can tell what is in it is left alone, and said to be so", async () => {
    await dataHere(folder, "poc", "prepare", "-n", "1");
    const file = join(folder.path, "poc", "poc.json");
    for (const text of ['{"schema_version', "{}", "null", '{"clients": 1}']) {
      await writeFile(file, text);
      const { exitCode, stderr } = await runHere(folder, "poc", "clean", "--force");
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(`error poc/damaged: ${file}`) as string });
    }
    expect((await runHere(folder, "poc", "prepare", "--force")).stderr).toContain("error poc/damaged:");
    await rm(join(folder.path, "poc"), { recursive: true });
  });

  it("names what keeps the server from starting, though the sites fail with it; its status says so where nobody waited", async () => {
    const other = createServer((socket) => socket.destroy());
    await once(other.listen(0), "listening");
    const { port } = other.address() as { port: number };
    await folder.data("poc", "prepare", "-n", "2", "--port", String(port));
    expect((await folder.run("poc", "start")).stderr).toContain("error transfer/cannot-listen:");
    await folder.data("poc", "stop");
    const { stdout, stderr } = await folder.run("poc", "start", "--no-wait");
    // On a busy machine the server may have ended before it is seen to run; then the reason is told here too.
    expect(`${stdout}${stderr}`).toMatch(/^Started\.$|error transfer\/cannot-listen: /m);
    const statusOf = async (name: string) =>
      ((await dataHere(folder, "poc", "status")) as PocData).services.find((one) => one.name === name);
    const stopped = { state: "stopped", error: { code: "transfer/cannot-listen" } };
    await expect.poll(() => statusOf("server"), { timeout: 20_000 }).toMatchObject(stopped);
    expect((await runHere(folder, "poc", "status")).stdout).toMatch(/^server .* stopped .* error transfer\/cannot-listen: /m);
    other.close();
    // What is well now says nothing of the past.
    await folder.data("poc", "start", "--no-wait");
    await expect.poll(() => statusOf("site-1"), { timeout: 30_000 }).toMatchObject({ state: "ready", error: null });
    expect(await statusOf("server")).toMatchObject({ state: "ready", error: null });
    await folder.data("poc", "clean", "--force");
  });

  it("is left as it was when the project file is wrong", async () => {
    await writeFile(join(folder.path, "wrong.yml"), "api_version: 3\nname: x\n");
    const { exitCode, stderr } = await folder.run("poc", "prepare", "-i", "wrong.yml");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error project/invalid:");
    expect(await readdir(folder.path)).toEqual(["wrong.yml"]);
  });
});
