import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobLaunch } from "./job-launcher.js";
import type { MessageChannel } from "./message-channel.js";
import { ProcessJobLauncher } from "./process-job-launcher.js";

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "flare-launch-")));
  await mkdir(join(folder, "kit"));
  await mkdir(join(folder, "objects"));
  await writeFile(join(folder, "kit", "client.key"), "a private key");
  await writeFile(join(folder, "objects", "model"), "a model");
});

afterEach(() => rm(folder, { recursive: true }));

describe("a job process", () => {
  it("can read its workspace, the code and what is named, and not the key of the kit beside them", async () => {
    const attempts = await tryIn("server", {
      workspace: `readFileSync(${path("workspace/log.txt")})`,
      objects: `readFileSync(${path("objects/model")})`,
      code: `await import(${JSON.stringify(import.meta.resolve("@flare-ts/contracts"))})`,
      dependency: `await import(${JSON.stringify(import.meta.resolve("kysely"))})`,
      key: `readFileSync(${path("kit/client.key")})`,
      keyByLink: `symlinkSync(${path("kit/client.key")}, "link"); readFileSync("link")`,
      passwords: `readFileSync("/etc/passwd")`,
    });
    expect(attempts).toEqual({
      workspace: "done",
      objects: "done",
      code: "done",
      dependency: "done",
      key: "ERR_ACCESS_DENIED",
      keyByLink: "ERR_ACCESS_DENIED",
      passwords: "ERR_ACCESS_DENIED",
    });
  });

  it("can write in its workspace and nowhere else", async () => {
    const attempts = await tryIn("server", {
      workspace: `writeFileSync("result", "x")`,
      objects: `writeFileSync(${path("objects/model")}, "x")`,
      kit: `writeFileSync(${path("kit/new")}, "x")`,
    });
    expect(attempts).toEqual({ workspace: "done", objects: "ERR_ACCESS_DENIED", kit: "ERR_ACCESS_DENIED" });
  });

  it("starts programs at a site, where it has a trainer to start, and none at the server", async () => {
    const start = { program: `spawnSync(process.execPath, ["--version"])` };
    expect(await tryIn("server", start)).toEqual({ program: "ERR_ACCESS_DENIED" });
    expect(await tryIn("site", start)).toEqual({ program: "done" });
  });

  it("starts threads at the server, which aggregates with them, and none at a site", async () => {
    const start = { thread: `await new Worker("", { eval: true }).terminate()` };
    expect(await tryIn("server", start)).toEqual({ thread: "done" });
    expect(await tryIn("site", start)).toEqual({ thread: "ERR_ACCESS_DENIED" });
  });

  it("gets few variables of the environment, and none that changes Node", async () => {
    const environment = { PATH: "/bin", NODE_OPTIONS: "--no-warnings", FLARE_SECRET: "x", TZ: "UTC", OMP_NUM_THREADS: "2" };
    const entry = await entryOf("process.send({ env: Object.keys(process.env) });");
    const { channel } = await launch("server", entry, environment);
    expect(await nextMessage(channel)).toEqual({ env: ["PATH", "TZ", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"] });
  });

  it("writes what it prints to log.txt in its workspace, and no warnings of Node", async () => {
    const entry = await entryOf("process.stderr.write('a line\\n'); process.disconnect();");
    const { exited } = await launch("server", entry);
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(await readFile(join(folder, "workspace", "log.txt"), "utf8")).toBe("a line\n");
  });

  it("is told apart from others by how it ends", async () => {
    const entry = await entryOf("if (process.argv[2] === undefined) process.on('message', () => process.exit(103));");
    const ended = await launch("server", entry);
    ended.channel.send({});
    expect(await ended.exited).toEqual({ code: 103, signal: null });
    const killed = await launch("server", entry);
    killed.kill("SIGKILL");
    expect(await killed.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("ends when its channel is closed", async () => {
    const { channel, exited } = await launch("server");
    channel.close();
    expect(await exited).toEqual({ code: 9, signal: null });
  });

  it("ends when its parent is killed", async () => {
    // A parent of its own, which launches a real server job process and is then killed.
    const launcher = pathToFileURL(join(import.meta.dirname, "..", "..", "dist", "job-process", "process-job-launcher.js")).href;
    const program = join(folder, "parent.mjs");
    await writeFile(
      program,
      `const { ProcessJobLauncher } = await import(${JSON.stringify(launcher)});
       const launcher = new ProcessJobLauncher({ environment: process.env });
       const job = await launcher.launch(${JSON.stringify(jobOf("server"))});
       job.channel.onMessage(() => process.send(job.pid));`,
    );
    const parent = spawn(process.execPath, [program], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const [pid] = (await once(parent, "message")) as [number];
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { interval: 10 }).toBe(false);
  });

  it("is refused with its folder when it cannot be started", async () => {
    await writeFile(join(folder, "file"), "");
    const launcher = new ProcessJobLauncher({ environment: {} });
    const attempt = launcher.launch({ ...jobOf("server"), workspace: join(folder, "file", "inside") });
    await expect(attempt).rejects.toMatchObject({ code: "runtime/job-process-start" });
  });
});

/** Runs statements in a job process, and says of each how it went. */
async function tryIn(kind: JobLaunch["kind"], statements: Readonly<Record<string, string>>): Promise<unknown> {
  const attempts = Object.entries(statements).map(
    ([name, statement]) =>
      `try { ${statement}; outcome.${name} = "done"; } catch (error) { outcome.${name} = error.code ?? String(error); }`,
  );
  const entry = await entryOf(
    `import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
     import { spawnSync } from "node:child_process";
     import { Worker } from "node:worker_threads";
     const outcome = {};
     ${attempts.join("\n")}
     process.send(outcome, () => process.disconnect());`,
  );
  const { channel, exited } = await launch(kind, entry);
  const message = await nextMessage(channel);
  await exited;
  return message;
}

function launch(kind: JobLaunch["kind"], entry?: string, environment: Readonly<Record<string, string | undefined>> = process.env) {
  const launcher = new ProcessJobLauncher({ environment, ...(entry === undefined ? {} : { entries: { [kind]: entry } }) });
  return launcher.launch(jobOf(kind));
}

function jobOf(kind: JobLaunch["kind"]): JobLaunch {
  return { kind, jobId: "4f4c1d0e-5a8a-4f0e-9a44-4d3f6a1f2b3c", workspace: join(folder, "workspace"), readable: [join(folder, "objects")] };
}

async function entryOf(program: string): Promise<string> {
  const file = join(folder, "entry.mjs");
  await writeFile(file, program);
  return file;
}

function nextMessage(channel: MessageChannel): Promise<unknown> {
  return new Promise((resolve) => channel.onMessage(resolve));
}

function path(name: string): string {
  return JSON.stringify(join(folder, name));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
