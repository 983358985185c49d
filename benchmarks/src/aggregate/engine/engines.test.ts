import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fedAvg, readSafetensorsHeader } from "@flare-ts/aggregator";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exactMean } from "../exact/exact-value.ts";
import { readElements, sampleElements } from "../exact/sample-elements.ts";
import { floatDtypeNames, tensorBytes } from "../layouts/float-dtype.ts";
import { layoutTensors } from "../layouts/layouts.ts";
import { strategyRow } from "../strategies.ts";
import { writeUpdates } from "../updates/write-updates.ts";
import { openEngines } from "./engine-contestants.ts";
import { engineMemory } from "./engine-memory.ts";
import { openKernels } from "./open-kernels.ts";
import { runOnce } from "./run-once.ts";

const { signal } = new AbortController();
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe.each(floatDtypeNames)("engines on updates of %s", (dtype) => {
  const tensors = [...layoutTensors("160", dtype, 7000), { name: "counter", dtype: "I64" as const, shape: [] }];
  const updateBytes = tensorBytes(tensors);

  it("are measured in each mode, and exact is within the rounding to the type", async () => {
    const files = await writeUpdates({ folder, tensors, dtype, count: 5, distinct: 5, signal });
    const sample = sampleElements(await readSafetensorsHeader(files[0] ?? ""), 300);
    const inputs = await Promise.all(files.map((file) => readElements(file, sample)));
    const engines = await openEngines({
      engines: ["auto", "wasm", "js"],
      isAnyEngine: false,
      modes: ["exact", "fast"],
      threads: [1],
      strategy: fedAvg(),
      model: files[0] ?? "",
      files,
      updateBytes,
      folder,
      sample,
      inputs,
      exact: exactMean,
      against: {},
      signal,
    });
    try {
      // "auto" is one of the others, and stands once.
      expect(engines.cases.map(({ name }) => name)).toEqual(["cpu-wasm-exact", "cpu-wasm-fast", "cpu-js-exact"]);
      expect(engines.cases[2]?.sha256).toBe(engines.cases[0]?.sha256);
      for (const [id, error] of engines.errors) {
        // Half a unit of the type: 2^-24, 2^-8 or 2^-11; fast has 5 roundings of float32 more.
        const bound = { float32: 2 ** -24, bfloat16: 2 ** -8, float16: 2 ** -11 }[dtype];
        expect(error?.relative).toBeLessThanOrEqual(bound + (id.includes("fast") ? 7 : 0) * 2 ** -24);
        expect(error?.elements).toBe(300);
      }
      const [contestant] = engines.contestants;
      const times = (await contestant?.run()) ?? [];
      expect(contestant?.figures.map(({ id }) => id.split("/").at(-1))).toEqual(["add", "finish", "all"]);
      expect(times[2]).toBeCloseTo((times[0] ?? 0) + (times[1] ?? 0), 9);
    } finally {
      await engines.close();
    }
  });

  it("and their kernels run on one and on two threads", async () => {
    const files = await writeUpdates({ folder, tensors, dtype, count: 3, distinct: 3, signal });
    const notes: string[] = [];
    const opened = await openKernels({
      model: files[0] ?? "",
      files,
      updateBytes,
      params: 7000,
      modes: ["exact", "fast", "float64"],
      row: strategyRow({ name: "fed-avg", options: {} }, 3),
      threads: [1, 2],
      against: (threads) => ({ read: `machine/read/t${threads}` }),
      note: (text) => notes.push(text),
    });
    try {
      const contestants = opened.flatMap((each) => each.contestants);
      expect(contestants.flatMap((each) => each.figures.map(({ id }) => id))).toEqual([
        ...[1, 2].flatMap((t) => [...["exact", "fast", "float64"].map((mode) => `kernels/mean/${mode}/t${t}`), `kernels/check/t${t}`]),
        ...["exact", "fast"].flatMap((mode) => ["chunks", "chunks-side-by-side"].map((order) => `kernels/${order}/${mode}/t1`)),
      ]);
      for (const contestant of contestants) expect((await contestant.run())[0]).toBeGreaterThan(0);
      expect(notes).toEqual([]);
    } finally {
      await Promise.all(opened.map((each) => each.close()));
    }
  });
});

it("an engine that does not run here is refused by name, and left out of all", async () => {
  const tensors = layoutTensors("flat", "float32", 1000);
  const files = await writeUpdates({ folder, tensors, dtype: "float32", count: 2, distinct: 2, signal });
  const rest = {
    modes: ["exact"],
    threads: [1],
    strategy: fedAvg(),
    model: files[0] ?? "",
    files,
    updateBytes: 4000,
    folder,
    sample: [],
    inputs: [],
  } as const;
  const init = { ...rest, engines: ["wasm", "js"], exact: undefined, against: {}, signal } as const;
  // As in a process without a compiler, `node --jitless`.
  vi.stubGlobal("WebAssembly", undefined);
  try {
    await expect(openEngines({ ...init, isAnyEngine: false })).rejects.toThrow(
      expect.objectContaining({ code: "aggregate/engine-unavailable" }),
    );
    const engines = await openEngines({ ...init, isAnyEngine: true });
    expect(engines.cases.map(({ name }) => name)).toEqual(["cpu-js-exact"]);
    expect(engines.notes).toEqual(["Engine wasm was left out: This process has no WebAssembly."]);
    await engines.close();
  } finally {
    vi.unstubAllGlobals();
  }
});

describe("a process of its own", () => {
  const tensors = layoutTensors("flat", "float32", 100_000);
  const strategy = { name: "fed-avg", options: {} } as const;

  it("gives the same result, and its memory", async () => {
    const files = await writeUpdates({ folder, tensors, dtype: "float32", count: 2, distinct: 2, signal });
    const request = {
      engine: "wasm",
      mode: "exact",
      threads: 1,
      strategy: { name: "fed-avg", options: {} },
      model: files[0] ?? "",
      files,
      outPath: join(folder, "out"),
    } as const;
    const pids: number[] = [];
    const { answer } = await runOnce(request, { signal, onStart: async (pid) => void pids.push(pid) });
    expect(pids).toHaveLength(1);
    const sha256 = answer?.sha256 ?? "";
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const one = { engine: "wasm", mode: "exact", threads: 1, name: "cpu-wasm-exact", device: "cpu", id: "x", sha256 } as const;
    const [memory] = await engineMemory({ cases: [one], strategy, model: files[0] ?? "", files, folder, signal });
    expect(memory?.kernelBytes).toBeGreaterThan(1e6);
    // Linux alone tells.
    expect(process.platform !== "linux" || (memory?.addedBytes ?? 0) > 1e6).toBe(true);
    await expect(
      engineMemory({ cases: [{ ...one, sha256: "other" }], strategy, model: files[0] ?? "", files, folder, signal }),
    ).rejects.toThrow("in a process of its own, and other before");
  });

  it("says why it failed", async () => {
    const request = {
      engine: "wasm",
      mode: "exact",
      threads: 1,
      strategy: { name: "fed-avg", options: {} },
      model: join(folder, "none"),
      files: [join(folder, "none")],
      outPath: "",
    } as const;
    const { answer, exitCode, stderr } = await runOnce(request, { signal });
    expect(answer).toBeUndefined();
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("none");
  });

  it("ends with the signal", async () => {
    const controller = new AbortController();
    const request = {
      engine: "wasm",
      mode: "exact",
      threads: 1,
      strategy: { name: "fed-avg", options: {} },
      model: "",
      files: [],
      outPath: "",
    } as const;
    await expect(runOnce(request, { signal: controller.signal, onStart: async () => controller.abort() })).rejects.toThrow("aborted");
  });
});
