import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import type { Tensor } from "../tensor.js";
import { compressUpdate } from "./compress-update.js";
import { differenceUpdate } from "./difference-update.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-difference-"));
});
afterAll(() => rm(folder, { recursive: true }));

const length = 70_001;

async function write(name: string, tensors: Readonly<Record<string, Tensor>>): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  await writeFile(path, encodeSafetensors(Object.entries(tensors)));
  return path;
}

const floats = (of: (i: number) => number) => ({
  dtype: "F32" as const,
  shape: [length],
  data: Float32Array.from({ length }, (_, i) => of(i)),
});

const before = {
  w: floats((i) => Math.sin(i) * 100),
  kept: floats((i) => i),
  h: { dtype: "F16", shape: [2], data: Uint16Array.of(0x3c00, 0x4000) },
  n: { dtype: "I64", shape: [1], data: BigInt64Array.of(2n ** 60n) },
} as const;
const after = {
  w: floats((i) => Math.sin(i) * 100 + Math.cos(i) * 1e-3),
  h: { dtype: "F16", shape: [2], data: Uint16Array.of(0x4000, 0x3c00) },
  n: { dtype: "I64", shape: [1], data: BigInt64Array.of(2n ** 60n + 3n) },
} as const;

describe("the difference of an update to its model", () => {
  it("has the update's tensors alone, each element rounded once", async () => {
    const outPath = join(folder, "difference.safetensors");
    const [source, base] = [await write("after", after), await write("before", before)];
    await differenceUpdate({ source, base, outPath });
    const tensors = decodeSafetensors(await readFile(outPath), outPath);
    expect([...tensors.keys()].sort()).toEqual(["h", "n", "w"]);
    expect(tensors.get("w")?.data).toEqual(Float32Array.from(after.w.data, (value, i) => value - (before.w.data[i] ?? 0)));
    expect(tensors.get("h")?.data).toEqual(Uint16Array.of(0x3c00, 0xbc00));
    expect(tensors.get("n")?.data).toEqual(BigInt64Array.of(3n));
  });

  it("loses much less than the whole model when it is compressed", async () => {
    const [source, base] = [await write("after", { w: after.w }), await write("before", before)];
    const whole = await compressUpdate({ source, form: "bfloat16", outPath: join(folder, "whole.safetensors") });
    const difference = await compressUpdate({ source, base, form: "bfloat16", outPath: join(folder, "less.safetensors") });
    // Rounding to 8 significant bits loses up to 2^-9 of what is rounded, and that is a hundred thousandth as large.
    expect(difference.largestError).toBeLessThan(1e-3 * 2 ** -8);
    expect(whole.largestError).toBeGreaterThan(1000 * difference.largestError);
    expect(difference.relativeError).toBeLessThan(2 ** -9);
  });

  it.each<readonly [string, Readonly<Record<string, Tensor>>]>([
    ["aggregate/unknown-tensor", { other: floats(() => 1) }],
    ["aggregate/layout-mismatch", { w: { dtype: "F32", shape: [1], data: Float32Array.of(1) } }],
    ["aggregate/out-of-range", { u: { dtype: "U8", shape: [1], data: Uint8Array.of(1) } }],
    ["aggregate/out-of-range", { n: { dtype: "I64", shape: [1], data: BigInt64Array.of(-(2n ** 63n)) } }],
    ["aggregate/out-of-range", { f: { dtype: "F32", shape: [1], data: Float32Array.of(3e38) } }],
    ["aggregate/out-of-range", { d: { dtype: "F64", shape: [1], data: Float64Array.of(-1.7e308) } }],
    ["aggregate/out-of-range", { b: { dtype: "BOOL", shape: [1], data: Uint8Array.of(0) } }],
  ])("is refused with %s where it cannot be had, and leaves no file", async (code, tensors) => {
    const source = await write("wrong", tensors);
    const base = await write("model", {
      ...before,
      u: { dtype: "U8", shape: [1], data: Uint8Array.of(2) },
      b: { dtype: "BOOL", shape: [1], data: Uint8Array.of(1) },
      f: { dtype: "F32", shape: [1], data: Float32Array.of(-3e38) },
      d: { dtype: "F64", shape: [1], data: Float64Array.of(1.7e308) },
    });
    await expect(differenceUpdate({ source, base, outPath: join(folder, "refused.safetensors") })).rejects.toMatchObject({ code });
    expect((await readdir(folder)).filter((name) => name.startsWith("refused"))).toEqual([]);
  });
});
