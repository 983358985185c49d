import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseOptions } from "../command-line/parse-options.ts";
import { limitMemory } from "./memory-group.ts";
import { type MemorySettings, memoryOptions, memorySettings } from "./memory-settings.ts";
import { processTree, treeMemory } from "./tree-memory.ts";
import { watchMemory } from "./watch-memory.ts";

const settings = (...args: readonly string[]): MemorySettings => memorySettings(parseOptions(memoryOptions, args));

describe("the settings", () => {
  it("are those of the promise without any option", () => {
    expect(settings()).toMatchObject({
      updates: 32,
      layout: "160",
      params: 500_000_000,
      limitBytes: 512e6,
      engine: "auto",
      mode: "exact",
      threads: 2,
    });
  });

  it("take a model by name", () => {
    expect(settings("--model", "llama-1b", "--limit", "1GiB")).toMatchObject({
      layout: "llama-1b",
      dtype: "bfloat16",
      limitBytes: 2 ** 30,
    });
  });

  it.each([
    [["--model", "resnet5"], "Did you mean 'resnet50'?"],
    [["--model", "10B"], "--model takes a size of at least 640 bytes, not '10B'."],
    [["--engine", "js", "--mode", "fast"], "Engine js sums in mode exact, not in fast."],
    [["--update", "3"], "There is no option --update. Did you mean --updates?"],
    [["2GB"], "memory takes options only, not '2GB'."],
  ])("refuse %j in one sentence", (args, message) => {
    expect(() => settings(...args)).toThrow(
      expect.objectContaining({ code: "cli/invalid-arguments", message: expect.stringContaining(message) }),
    );
  });
});

describe.skipIf(!existsSync("/proc/self/smaps_rollup"))("the memory of processes (Linux)", () => {
  it("is that of a process and of all that it started", async () => {
    const text = `
      const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, ["-e", "globalThis.kept = Buffer.alloc(60e6, 1); process.stdout.write(' '); setInterval(() => {}, 1000)"], { stdio: ["ignore", "pipe", "inherit"] });
      child.stdout.once("data", () => process.stdout.write(" "));
      process.stdin.once("end", () => child.kill()).resume();
    `;
    const parent = spawn(process.execPath, ["-e", text], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(parent, "close");
    await once(parent.stdout, "data");
    const pid = parent.pid ?? 0;
    let exceeded = 0;
    const watch = watchMemory({ pid, everyMs: 1, limitBytes: 50e6, onExceeded: () => (exceeded += 1) });
    expect(await processTree(pid)).toHaveLength(2);
    expect(await treeMemory(pid)).toBeGreaterThan(60e6);
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    const until = setInterval(() => exceeded > 0 && resolve(), 1);
    await seen;
    clearInterval(until);
    const { peakBytes, samples } = await watch.stop();
    expect(peakBytes).toBeGreaterThan(60e6);
    expect(samples).toBeGreaterThan(0);
    expect(exceeded).toBe(1);
    parent.stdin.end();
    await ended;
  });

  it("is unknown when the process is gone", async () => {
    expect(await treeMemory(2 ** 30)).toBeUndefined();
  });
});

describe("a limit that the kernel keeps", () => {
  let root = "";
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "flare-bench-test-"));
    await mkdir(join(root, "user", "session"), { recursive: true });
    await writeFile(join(root, "own"), "1:name=x:/elsewhere\n0::/user/session\n");
  });
  afterEach(() => rm(root, { recursive: true }));

  it("is put on a new group under the nearest one that lets its members be limited", async () => {
    await writeFile(join(root, "cgroup.controllers"), "cpu memory pids\n");
    await writeFile(join(root, "user", "session", "cgroup.subtree_control"), "pids\n");
    await writeFile(join(root, "user", "cgroup.subtree_control"), "memory pids\n");
    const group = await limitMemory(4711, 512e6, { root, own: join(root, "own") });
    const path = join(root, "user", "flare-bench-4711");
    expect(await readFile(join(path, "memory.max"), "utf8")).toBe("512000000");
    expect(await readFile(join(path, "cgroup.procs"), "utf8")).toBe("4711");
    if ("reason" in group) throw new Error(group.reason);
    await writeFile(join(path, "memory.events"), "low 0\noom 2\noom_kill 1\n");
    expect(await group.kills()).toBe(1);
  });

  it("is put on a new group of version 1 where that counts memory, and lets a process go again", async () => {
    await writeFile(join(root, "own"), "4:memory:/session\n0::/\n");
    await mkdir(join(root, "memory", "session"), { recursive: true });
    const group = await limitMemory(4711, 512e6, { root, own: join(root, "own") });
    const path = join(root, "memory", "session", "flare-bench-4711");
    expect(await readFile(join(path, "memory.limit_in_bytes"), "utf8")).toBe("512000000");
    if ("reason" in group) throw new Error(group.reason);
    await writeFile(join(path, "memory.max_usage_in_bytes"), "511000000\n");
    await writeFile(join(path, "memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
    expect([await group.peak(), await group.kills()]).toEqual([511e6, 3]);
    await group.release(4711);
    expect(await readFile(join(root, "memory", "session", "cgroup.procs"), "utf8")).toBe("4711");
  });

  it("is given up with the reason where it cannot be had", async () => {
    const places = { root, own: join(root, "own") };
    expect(await limitMemory(1, 1, places)).toEqual({ reason: "this system has no cgroup for memory" });
    await writeFile(join(root, "cgroup.controllers"), "memory\n");
    expect(await limitMemory(1, 1, places)).toEqual({ reason: "no cgroup lets its members be limited" });
    await writeFile(join(root, "cgroup.subtree_control"), "memory\n");
    await mkdir(join(root, `flare-bench-${process.pid}`));
    expect(await limitMemory(process.pid, 1, places)).toEqual({ reason: expect.stringContaining("a cgroup cannot be made: EEXIST") });
  });
});
