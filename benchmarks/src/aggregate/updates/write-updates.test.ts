import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensorsHeader } from "@flare-ts/aggregator";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readElements, sampleElements } from "../exact/sample-elements.ts";
import { floatDtypeNames } from "../layouts/float-dtype.ts";
import { layoutTensors } from "../layouts/layouts.ts";
import { distinctFiles, writeUpdates } from "./write-updates.ts";

let folder = "";
const signal = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

it.each(floatDtypeNames)("updates of %s hold values between -0.5 and 0.5, other ones in each file", async (dtype) => {
  const tensors = layoutTensors("160", dtype, 40_000);
  const files = await writeUpdates({ folder, tensors, dtype, count: 2, distinct: 2, signal });
  const layout = await readSafetensorsHeader(files[0] ?? "");
  const elements = sampleElements(layout, 3000);
  const [first, second] = await Promise.all(files.map((file) => readElements(file, elements)));
  for (const values of [first ?? [], second ?? []]) {
    expect(values).toHaveLength(3000);
    expect(values.every((value) => Math.abs(value) <= 0.5 && Number.isFinite(value))).toBe(true);
    expect(values.filter((value) => value > 0).length).toBeGreaterThan(1200);
    expect(new Set(values).size).toBeGreaterThan(1000);
  }
  expect(first).not.toEqual(second);
});

it("updates beyond the distinct ones take no room", async () => {
  const tensors = layoutTensors("flat", "float32", 1000);
  const files = await writeUpdates({ folder, tensors, dtype: "float32", count: 5, distinct: 2, signal });
  const inodes = await Promise.all(files.map(async (file) => (await stat(file)).ino));
  expect(inodes[4]).toBe(inodes[0]);
  expect(inodes[3]).toBe(inodes[1]);
  expect(new Set(inodes).size).toBe(2);
});

it("a disk without room for two is refused with what would be needed", async () => {
  expect(await distinctFiles(folder, layoutTensors("flat", "float32", 1000), 8)).toBe(8);
  await expect(distinctFiles(folder, [{ name: "x", dtype: "F32", shape: [2 ** 50] }], 8)).rejects.toThrow(
    expect.objectContaining({ code: "file/unwritable", message: expect.stringContaining("--folder") }),
  );
});

it("samples are spread over all floating tensors, from the first element to the last", async () => {
  const tensors = layoutTensors("resnet18", "bfloat16", 0);
  const [file = ""] = await writeUpdates({ folder, tensors, dtype: "bfloat16", count: 1, distinct: 1, signal });
  const layout = await readSafetensorsHeader(file);
  const elements = sampleElements(layout, 500);
  expect(elements).toHaveLength(500);
  expect(elements[0]).toEqual({ tensor: "conv1.weight", index: 0, flat: 0 });
  expect(elements.at(-1)).toEqual({ tensor: "fc.bias", index: 999, flat: 11_699_111 });
  expect(sampleElements(layout, 2).map(({ flat }) => flat)).toEqual([0, 11_699_111]);
});
