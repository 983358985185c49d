import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensorsHeader } from "@flare-ts/aggregator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExactRule, exactLowerMedian, exactMean, exactMedian, exactTrimmedMean } from "../exact/exact-value.ts";
import { largestError } from "../exact/largest-error.ts";
import { readElements, sampleElements } from "../exact/sample-elements.ts";
import { floatDtypeNames } from "../layouts/float-dtype.ts";
import { layoutTensors } from "../layouts/layouts.ts";
import { weightsOf } from "../updates/weights.ts";
import { writeUpdates } from "../updates/write-updates.ts";
import { findPython, pythonCandidates } from "./find-python.ts";
import { type BaselineForm, baselineForm, baselineNames } from "./forms.ts";
import { type PythonProcess, startPython } from "./python-process.ts";

const found = await findPython(pythonCandidates);
const count = 6;
const weights = weightsOf(count);
const rules: Readonly<Partial<Record<BaselineForm["rule"], ExactRule>>> = {
  mean: exactMean,
  median: exactMedian,
  "lower-median": exactLowerMedian,
  "trimmed-mean": exactTrimmedMean(2),
};

/** All that this Python has and that give an element for each. */
const forms = baselineNames
  .map((name) => ({ name, ...baselineForm(name) }))
  .filter(({ rule, library }) => rule !== "distances" && (library === "numpy" || found?.hasTorch === true));

describe.skipIf(found === undefined)("a Python with NumPy (Debian package python3-numpy)", () => {
  let folder = "";
  let python: PythonProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-bench-test-"));
    python = await startPython(found?.command ?? "");
  });
  afterAll(async () => {
    await python.close();
    await rm(folder, { recursive: true });
  });

  it("says what it runs with", () => {
    expect(python.versions.numpy).toMatch(/^\d+\.\d+/);
    expect(python.versions.torch !== null).toBe(found?.hasTorch);
    expect(python.versions.blas.library).not.toBe("");
  });

  it.each(floatDtypeNames)("aggregates %s by every form that it has, to within the rounding of float32", async (dtype) => {
    // Two lengths and counters in between, so that a wrong place would show.
    const tensors = [
      ...layoutTensors("160", dtype, 3210),
      { name: "counter", dtype: "I64" as const, shape: [] },
      { name: "last", dtype: layoutTensors("flat", dtype, 1)[0]?.dtype ?? "F32", shape: [17, 3] },
    ];
    const files = await writeUpdates({ folder, tensors, dtype, count, distinct: count, signal: new AbortController().signal });
    const elements = sampleElements(await readSafetensorsHeader(files[0] ?? ""), 500);
    const inputs = await Promise.all(files.map((file) => readElements(file, elements)));
    await python.load(files, weights);
    const outPath = join(folder, "out.bin");
    const tried = forms.map(({ name }) => name);
    const errors: Record<string, number> = {};
    for (const name of tried) {
      const at = elements.map(({ flat }) => flat);
      const { ms, values = [], addedBytes = null } = await python.run({ form: name, threads: 1, cut: 2, outPath, memory: true, at });
      expect(ms).toBeGreaterThan(0);
      expect(addedBytes ?? 0).toBeGreaterThanOrEqual(0);
      errors[name] = largestError(values, inputs, weights, rules[baselineForm(name).rule] ?? exactMean).relative;
    }
    expect(tried).toEqual(expect.arrayContaining(["numpy-add", "flower-inplace", "numpy-sort-trim"]));
    // The shares, their products and each sum are rounded once: (n + 2) half units of float32.
    expect(Object.entries(errors).filter(([, error]) => error > (count + 2) * 2 ** -24)).toEqual([]);
    // Written by the form over files, in the type of the updates.
    expect((await stat(outPath)).size).toBe((3210 + 51) * (dtype === "float32" ? 4 : 2));
  });

  it("gives distances between updates, not their products", async () => {
    const tensors = layoutTensors("flat", "float32", 500);
    const files = await writeUpdates({ folder, tensors, dtype: "float32", count: 2, distinct: 2, signal: new AbortController().signal });
    const [a = [], b = []] = await Promise.all(
      files.map(async (file) => readElements(file, sampleElements(await readSafetensorsHeader(file), 500))),
    );
    await python.load(files, weightsOf(2));
    const { values = [] } = await python.run({ form: "numpy-krum", threads: 1, cut: 0, outPath: "", at: [0, 1, 2, 3] });
    const squared = a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);
    // Squares of float32 that mostly cancel: a few units of their sum.
    for (const [i, wanted] of [0, squared, squared, 0].entries()) expect(Math.abs((values[i] ?? Number.NaN) - wanted)).toBeLessThan(1e-3);
  });

  it("names what went wrong and goes on", async () => {
    await expect(python.load([join(folder, "none.safetensors")], [1])).rejects.toThrow("FileNotFoundError");
    expect(python.versions.python).toMatch(/^3\./);
    await python.unload();
  });
});

it("is not found where there is none", async () => {
  expect(await findPython([join(tmpdir(), "no-such-python")])).toBeUndefined();
});
