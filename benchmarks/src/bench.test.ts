import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readResult } from "./result/read-result.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

function start(...args: readonly string[]): {
  readonly child: ReturnType<typeof spawn>;
  readonly finished: Promise<{ exitCode: number; stdout: string; stderr: string }>;
} {
  const child = spawn(process.execPath, [join(import.meta.dirname, "bench.ts"), ...args], {
    cwd: folder,
    env: { ...process.env, INIT_CWD: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const finished = once(child, "close").then(async ([exitCode]) => {
    const [stdout, stderr] = await output;
    return { exitCode: exitCode as number, stdout, stderr };
  });
  return { child, finished };
}

const run = (...args: readonly string[]): ReturnType<typeof start>["finished"] => start(...args).finished;

describe("the command", () => {
  it("measures, prints, and writes figures and a page that belong together", async () => {
    const sizes = ["--clients", "3", "--params", "20000", "--runs", "2", "--threads", "1", "--mode", "exact", "--sweep", "clients=2"];
    const { exitCode, stdout, stderr } = await run(
      "aggregate",
      "--quick",
      ...sizes,
      "--baselines",
      "none",
      "--folder",
      ".",
      "--out",
      "a.json",
      "--html",
      "a.html",
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining("run 2 of 2") });
    const result = await readResult(join(folder, "a.json"));
    expect(result.points.map(({ clients, params }) => [clients, params])).toEqual([
      [3, 20_000],
      [2, 20_000],
    ]);
    expect(result.commandLine).toContain("aggregate --quick --clients 3");
    const [point] = result.points;
    expect(point?.figures.map(({ id }) => id)).toEqual(
      expect.arrayContaining(["machine/read/t1", "kernels/mean/exact/t1", "engine/cpu-wasm-exact/fed-avg/t1/all"]),
    );
    expect(point?.figures.find(({ id }) => id === "engine/cpu-wasm-exact/fed-avg/t1/all")?.error?.relative).toBeLessThanOrEqual(2 ** -24);
    expect(stdout).toContain("3 updates of 20000 parameters in 160 tensors");
    expect(stdout).toContain(join(folder, "a.json"));
    expect(await readFile(join(folder, "a.html"), "utf8")).toMatch(/^<!doctype html>/);
    // Nothing else is left, in the folder for updates either.
    expect((await readdir(folder)).toSorted()).toEqual(["a.html", "a.json"]);
    expect((await run("page", "a.json", "b.html")).stdout).toContain(join(folder, "b.html"));
    expect(await readFile(join(folder, "b.html"), "utf8")).toBe(await readFile(join(folder, "a.html"), "utf8"));
    expect(await run("compare", "a.json", "a.json", "--fail-on-slower", "10%")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("0 of "),
    });
  });

  it("leaves nothing behind when it is stopped", async () => {
    const { child, finished } = start(
      "aggregate",
      "--params",
      "3e6",
      "--clients",
      "4",
      "--runs",
      "1000",
      "--baselines",
      "none",
      "--folder",
      ".",
    );
    let seen = "";
    await new Promise<void>((resolve) => {
      child.stderr?.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
        if (seen.includes("writing")) resolve();
      });
    });
    child.kill("SIGINT");
    expect((await finished).exitCode).toBe(130);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    [
      ["agregate"],
      "There is no benchmark 'agregate': aggregate, compare, dashboard, filters, masks, memory, page, provision, rounds, transfer. Did you mean 'aggregate'?",
    ],
    [["aggregate", "--treads", "2"], "There is no option --treads. Did you mean --threads?"],
    [["compare", "a.json"], "compare takes two files of results, not 1."],
    [["rounds", "--model", "1MB", "--starts", "3"], "--starts goes without --model only."],
    [["rounds", "--rounds", "0"], "--rounds takes whole numbers of at least 1, not '0'."],
  ])("refuses %j with status 4 and one sentence", async (args, message) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringContaining(message)]);
  });

  it("masks and unmasks rounds of so many sites each", async () => {
    const { exitCode, stdout } = await run("masks", "--params", "20000", "--sites", "1,3", "--runs", "1", "--folder", ".");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/mask at a site[\s\S]*\n1 [\s\S]*\n3 /) });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(["aggregate", "compare", "masks", "memory"])("explains %s", async (name) => {
    expect(await run(name, "--help")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`usage: npm run bench -- ${name}`) });
  });

  it("keeps a limit on memory, and fails when it is passed", async () => {
    const good = await run("memory", "--updates", "4", "--model", "4MB", "--limit", "1GB", "--folder", ".");
    expect(good).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/mode exact[\s\S]*sha256 [0-9a-f]{64}/) });
    const bad = await run("memory", "--updates", "4", "--model", "40MB", "--limit", "20MB", "--folder", ".");
    expect(bad).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("The limit of 20.0 MB was passed") });
    expect(await readdir(folder)).toEqual([]);
  });
});
