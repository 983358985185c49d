import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@flare-ts/aggregator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
beforeEach(async () => {
  folder = await flareFolder();
  for (const [name, values] of Object.entries({ a: [1, 2], b: [4, 8], bad: [1, Number.NaN] })) {
    const data = Float32Array.from(values);
    await writeFile(join(folder.path, `${name}.safetensors`), encodeSafetensors([["layer.w", { dtype: "F32", shape: [2], data }]]));
  }
});
afterEach(() => folder.remove());

describe("flare aggregate", () => {
  const modes = ["exact", "fast", "float64"];
  it.each(modes)("writes the weighted mean in mode %s and says who went in, with what and how", async (mode) => {
    const { exitCode, stdout, stderr } = await folder.run(
      "aggregate",
      "-w",
      "2,1",
      "a.safetensors",
      "b.safetensors",
      "-o",
      "o.safetensors",
      "--mode",
      mode,
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^a\.safetensors +2 +2\.23607 +1 +\d+ B$/m);
    expect(stdout).toContain(`cpu-wasm-${mode} (cpu, WebAssembly`);
    const out = decodeSafetensors(await readFile(join(folder.path, "o.safetensors")));
    expect([...(out.get("layer.w")?.data ?? [])]).toEqual([2, 4]);
  });

  it("says of a setting that is wrong once what it may be", async () => {
    const weights = ["-w", "1,1", "a.safetensors", "b.safetensors", "-o", "o.safetensors"];
    const { stderr } = await folder.run("aggregate", ...weights, "--strategy", "trimmed-mean", "--strategy-option", "fraction=2");
    expect(stderr.split("it must be a number of at least 0 and below 0.5")).toHaveLength(2);
  });

  it("gives the same bytes from each engine, in any order, as JSON says", async () => {
    const hashes = new Set<unknown>();
    for (const words of [
      ["-w", "3,5", "a.safetensors", "b.safetensors", "--engine", "js"],
      ["-w", "5,3", "b.safetensors", "a.safetensors", "--threads", "3"],
    ]) {
      const data = (await folder.data("aggregate", ...words, "-o", "o.safetensors")) as {
        report: { sha256: string; contributors: unknown[] };
      };
      expect(data.report.contributors).toHaveLength(2);
      hashes.add(data.report.sha256);
    }
    expect(hashes.size).toBe(1);
  });

  it("combines by any strategy, with its settings, and keeps its state for the next round", async () => {
    const files = ["a.safetensors", "b.safetensors", "a.safetensors"];
    await writeFile(join(folder.path, "c.safetensors"), await readFile(join(folder.path, "a.safetensors")));
    const three = ["-w", "1,1,1", "a.safetensors", "b.safetensors", "c.safetensors", "-o", "o.safetensors"];
    const trimmed = await folder.run("aggregate", ...three, "--strategy", "trimmed-mean", "--strategy-option", "fraction=0.34");
    expect({ exitCode: trimmed.exitCode, stderr: trimmed.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(trimmed.stdout).toContain("trimmed-mean by cpu-wasm-exact");
    expect([...(decodeSafetensors(await readFile(join(folder.path, "o.safetensors"))).get("layer.w")?.data ?? [])]).toEqual([1, 2]);
    const step = ["--strategy", "fed-avg-m", "--base", files[0] ?? "", "--state-to", "state/1"];
    expect((await folder.run("aggregate", ...three, ...step)).exitCode).toBe(0);
    expect(await readdir(join(folder.path, "state", "1"))).toEqual(["momentum.safetensors"]);
    const next = ["--strategy", "fed-avg-m", "--base", "o.safetensors", "--state-from", "state/1", "--state-to", "state/2"];
    expect((await folder.run("aggregate", ...three.slice(0, -1), "p.safetensors", ...next)).exitCode).toBe(0);
  });

  it.each([
    ["NaN, by name of tensor and file", ["-w", "1,1", "a.safetensors", "bad.safetensors"], "error aggregate/not-finite:"],
    ["a file that is not there", ["-w", "1,1", "a.safetensors", "none.safetensors"], "error file/not-found:"],
    ["fewer weights than files", ["-w", "1", "a.safetensors", "b.safetensors"], "error cli/invalid-arguments:"],
    ["a weight of zero", ["-w", "1,0", "a.safetensors", "b.safetensors"], "error cli/invalid-arguments:"],
    [
      "a setting that the strategy lacks",
      ["-w", "1,1", "a.safetensors", "b.safetensors", "--strategy", "trimmed-mean", "--strategy-option", "fractio=0.2"],
      "error aggregate/strategy-invalid:",
    ],
    [
      "a step without a place for its state",
      ["-w", "1", "a.safetensors", "--strategy", "fed-avg-m", "--base", "a.safetensors"],
      "error aggregate/state-invalid:",
    ],
    [
      "a step without the model that it changes",
      ["-w", "1", "a.safetensors", "--strategy", "fed-avg-m", "--state-to", "state"],
      "error aggregate/base-missing:",
    ],
    ["differences without their model", ["-w", "1", "a.safetensors", "--params-type", "DIFF"], "error aggregate/base-missing:"],
    [
      "an engine that is not here",
      ["-w", "1", "a.safetensors", "--engine", "gpu", "--mode", "fast"],
      "error aggregate/engine-unavailable:",
    ],
    ["no threads", ["-w", "1,1", "a.safetensors", "b.safetensors", "--threads", "0"], "error cli/invalid-arguments:"],
    [
      "a mode that the engine lacks",
      ["-w", "1,1", "a.safetensors", "b.safetensors", "--engine", "js", "--mode", "fast"],
      "error aggregate/engine-unavailable:",
    ],
  ])("refuses %s and writes nothing", async (_what, words, wanted) => {
    const { exitCode, stderr } = await folder.run("aggregate", ...words, "-o", "o.safetensors");
    // 5 would blame this software.
    expect([1, 4]).toContain(exitCode);
    expect(stderr).toContain(wanted);
    expect(await readdir(folder.path)).toEqual(["a.safetensors", "b.safetensors", "bad.safetensors"]);
  });
});
