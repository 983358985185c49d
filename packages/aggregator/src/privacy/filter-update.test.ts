import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import type { Tensor } from "../tensor.js";
import { type FilterUpdateInit, filterUpdate, type UpdateFilter } from "./filter-update.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-filter-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** More than two chunks, and no multiple of one. */
const length = 150_001;
const floats = (of: (i: number) => number): Tensor => ({
  dtype: "F32",
  shape: [length],
  data: Float32Array.from({ length }, (_, i) => of(i)),
});
const small = (...values: number[]): Tensor => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) });
const steps: Tensor = { dtype: "I64", shape: [1], data: BigInt64Array.of(7n) };

async function write(
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  await writeFile(path, encodeSafetensors(Object.entries(tensors), metadata));
  return path;
}

const outPath = (): string => join(folder, "out.safetensors");

async function filtered(
  update: Readonly<Record<string, Tensor>>,
  filters: readonly UpdateFilter[],
  rest: Partial<FilterUpdateInit> & { readonly model?: Readonly<Record<string, Tensor>> } = {},
) {
  const { model = update, ...init } = rest;
  const [source, base] = [await write("update", update), await write("model", model)];
  const report = await filterUpdate({ source, base, paramsType: "DIFF", outPath: outPath(), filters, ...init });
  return { report, tensors: decodeSafetensors(await readFile(outPath()), outPath()) };
}

async function refusal(
  update: Readonly<Record<string, Tensor>>,
  filters: readonly UpdateFilter[],
  rest: Parameters<typeof filtered>[2] = {},
) {
  const error: unknown = await filtered(update, filters, rest).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect((await readdir(folder)).filter((name) => name.startsWith("out.safetensors."))).toEqual([]);
  return error;
}

const values = (tensor: Tensor | undefined): number[] => Array.from((tensor?.data ?? []) as Float32Array);
const norm = (all: readonly number[]): number => Math.sqrt(all.reduce((sum, value) => sum + value ** 2, 0));

describe("an update that leaves out tensors", () => {
  it("is otherwise as it was, without what its file said beside the tensors", async () => {
    const update = { head: small(1, 2), body: floats((i) => i), steps };
    const source = await write("update", update, { patient: "Jane Doe" });
    const base = await write("model", update);
    const filters: UpdateFilter[] = [{ kind: "exclude", isExcluded: (name) => name === "head" }];
    const report = await filterUpdate({ source, base, paramsType: "FULL", outPath: outPath(), filters });
    expect(report).toMatchObject({ paramsType: "FULL", leftOut: ["head"] });
    const bytes = await readFile(outPath());
    const tensors = decodeSafetensors(bytes, outPath());
    expect([...tensors.keys()].sort()).toEqual(["body", "steps"]);
    expect(tensors.get("body")?.data).toEqual(update.body.data);
    expect(tensors.get("steps")?.data).toEqual(steps.data);
    expect(bytes.includes("Jane Doe")).toBe(false);
    expect(report.bytesOut).toBe(bytes.byteLength);
  });

  it("is refused when nothing is left", async () => {
    expect(await refusal({ head: small(1) }, [{ kind: "exclude", isExcluded: () => true }])).toMatchObject({
      code: "privacy/nothing-left",
    });
    expect(await refusal({ steps }, [{ kind: "clip-norm", maxNorm: 1 }])).toMatchObject({ code: "privacy/nothing-left" });
  });
});

describe("an update of whom the model does not know", () => {
  const model = { head: small(1, 2) };
  const filters: UpdateFilter[] = [{ kind: "exclude", isExcluded: () => false }];

  it("a tensor stays at the site", async () => {
    expect(await refusal({ head: small(1, 2), scans: small(1) }, filters, { model })).toMatchObject({ code: "aggregate/unknown-tensor" });
  });

  it("a shape stays at the site", async () => {
    expect(await refusal({ head: small(1, 2, 3) }, filters, { model })).toMatchObject({ code: "aggregate/layout-mismatch" });
  });
});

describe("which tensors an update has", () => {
  const model = { a: small(0, 0), b: small(0), c: small(0) };
  const noise: UpdateFilter = { kind: "gaussian", clipNorm: 1, noiseMultiplier: 1, randomBytes };

  it("is not for a script to choose where noise has to hide what it says", async () => {
    expect(await refusal({ a: small(1, 2), c: small(1) }, [noise], { model })).toMatchObject({
      code: "privacy/tensors-missing",
      facts: { tensor: "b" },
    });
    const without: UpdateFilter = { kind: "exclude", isExcluded: (name) => name === "b" };
    const { tensors } = await filtered({ a: small(1, 2), c: small(1) }, [noise, without], { model });
    expect([...tensors.keys()]).toEqual(["a", "c"]);
  });

  it("says nothing by their order", async () => {
    const exclude: UpdateFilter = { kind: "exclude", isExcluded: () => false };
    const { tensors } = await filtered({ c: small(1), a: small(1, 2) }, [exclude], { model });
    expect([...tensors.keys()]).toEqual(["a", "c"]);
    expect(tensors.get("a")?.data).toEqual(Float32Array.of(1, 2));
  });
});

describe("tensors that hold next to nothing", () => {
  const update = {
    none: { dtype: "F32", shape: [0, 3], data: new Float32Array() },
    scalar: { dtype: "F64", shape: [], data: Float64Array.of(2) },
    flag: { dtype: "BOOL", shape: [1], data: Uint8Array.of(1) },
  } as const;
  const every: readonly UpdateFilter[] = [
    { kind: "percentile", percentile: 50, gamma: 5 },
    { kind: "clip-norm", maxNorm: 5 },
    { kind: "gaussian", clipNorm: 5, noiseMultiplier: 1e-3, randomBytes },
    { kind: "svt", fraction: 1, epsilon: 1, noiseVar: 1e6, gamma: 5, tau: 0, replace: false, randomBytes },
  ];

  it("go through all filters", async () => {
    const { tensors, report } = await filtered(update, every);
    expect([...tensors].map(([name, { shape, data }]) => [name, shape, data.length])).toEqual([
      ["none", [0, 3], 0],
      ["scalar", [], 1],
    ]);
    expect(Number(tensors.get("scalar")?.data[0])).toBeCloseTo(2, 0);
    expect(report.leftOut).toEqual(["flag"]);
  });

  it("go through alone", async () => {
    const { tensors } = await filtered({ none: update.none }, every);
    expect([...tensors.keys()]).toEqual(["none"]);
  });
});

describe("PercentilePrivacy", () => {
  /** NumPy's `percentile` with its default method, then FLARE's filter without the division by steps. */
  function reference(all: readonly number[], percentile: number, gamma: number): number[] {
    const sorted = all.map(Math.abs).sort((a, b) => a - b);
    const place = ((sorted.length - 1) * percentile) / 100;
    const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
    const cutOff = low + (high - low) * (place - Math.floor(place));
    return all.map((value) => (Math.abs(value) < cutOff ? 0 : Math.max(-gamma, Math.min(gamma, value))));
  }
  const wave = floats((i) => Math.sin(i * 0.7) * Math.exp(Math.cos(i)));

  it.each([0, 10, 50, 99.9, 100])("keeps what NumPy's percentile of %d keeps, over all tensors together", async (percentile) => {
    const update = { wave, few: small(0.25, -3, 1e-9) };
    const { tensors, report } = await filtered(update, [{ kind: "percentile", percentile, gamma: 1.5 }]);
    const wanted = reference([...values(update.few), ...values(wave)], percentile, 1.5);
    expect(report.paramsType).toBe("DIFF");
    expect([...values(tensors.get("few")), ...values(tensors.get("wave"))]).toEqual(wanted);
  });

  it.each([
    [[1, 1, 1, 1], 50],
    [[1, 2, 3, 4], 50],
    [[1, 2, 2, 3], 40],
    [[0, 0, 0, 5], 30],
    [[4], 70],
    [[-2, 2, -2, 7], 100],
  ])("has ties and single elements as NumPy has: %j at %d", async (all, percentile) => {
    const { tensors } = await filtered({ all: small(...all) }, [{ kind: "percentile", percentile, gamma: 100 }]);
    expect(values(tensors.get("all")).map((value) => value + 0)).toEqual(reference(all, percentile, 100));
  });

  it("is about changes: a whole model becomes its difference, and integers are left out", async () => {
    const model = { w: small(10, 10, 10), steps };
    const update = { w: small(10.5, 9, 10), steps: { ...steps, data: BigInt64Array.of(9n) } };
    const filters: UpdateFilter[] = [{ kind: "percentile", percentile: 50, gamma: 0.75 }];
    const { report, tensors } = await filtered(update, filters, { model, paramsType: "FULL" });
    expect(report).toMatchObject({ paramsType: "DIFF", leftOut: ["steps"] });
    expect(values(tensors.get("w"))).toEqual([0.5, -0.75, 0]);
  });
});

describe("a bound on the norm", () => {
  it("shortens what is longer, over all tensors together, and leaves the rest", async () => {
    const update = { a: small(3, 0), b: floats((i) => (i === 5 ? 4 : 0)) };
    const short = await filtered(update, [{ kind: "clip-norm", maxNorm: 5 }]);
    expect(norm([...values(short.tensors.get("a")), ...values(short.tensors.get("b"))])).toBeLessThanOrEqual(5);
    const { tensors } = await filtered(update, [{ kind: "clip-norm", maxNorm: 1 }]);
    expect(values(tensors.get("a"))[0]).toBeCloseTo(0.6, 6);
    expect(values(tensors.get("b"))[5]).toBeCloseTo(0.8, 6);
    expect(norm([...values(tensors.get("a")), ...values(tensors.get("b"))])).toBeLessThanOrEqual(1 + 2 ** -24);
    expect((await filtered({ a: small(3, 4) }, [{ kind: "clip-norm", maxNorm: 6 }])).tensors.get("a")?.data).toEqual(Float32Array.of(3, 4));
  });

  it("holds for types of 16 and 64 bits", async () => {
    const update: Record<string, Tensor> = {
      half: { dtype: "F16", shape: [1], data: Uint16Array.of(0x4200) },
      brain: { dtype: "BF16", shape: [1], data: Uint16Array.of(0x4080) },
      double: { dtype: "F64", shape: [1], data: Float64Array.of(12) },
    };
    const { tensors } = await filtered(update, [{ kind: "clip-norm", maxNorm: 1 }]);
    expect(Array.from(tensors.get("double")?.data ?? [], Number)[0]).toBeCloseTo(12 / 13, 8);
    expect(tensors.get("half")?.data).toEqual(Uint16Array.of(0x3362));
    expect(tensors.get("brain")?.data).toEqual(Uint16Array.of(0x3e9e));
  });
});

describe("Gaussian noise", () => {
  it("has the standard deviation that was asked for, on every value, fresh each time", async () => {
    const filters: UpdateFilter[] = [{ kind: "gaussian", clipNorm: 2, noiseMultiplier: 0.5, randomBytes }];
    const update = { w: floats(() => 0) };
    const [once, again] = [
      values((await filtered(update, filters)).tensors.get("w")),
      values((await filtered(update, filters)).tensors.get("w")),
    ];
    const deviation = Math.sqrt(once.reduce((sum, value) => sum + value ** 2, 0) / length);
    // Of so many values the deviation is off by 1% in one run of 10^7.
    expect(deviation).toBeGreaterThan(0.99);
    expect(deviation).toBeLessThan(1.01);
    expect(once.every((value, i) => value !== 0 && value !== again[i])).toBe(true);
  });

  it("goes on an update that was shortened first", async () => {
    const update = { w: floats(() => 1000) };
    const { tensors } = await filtered(update, [{ kind: "gaussian", clipNorm: 1, noiseMultiplier: 0.001, randomBytes }]);
    // The noise alone has a norm of 0.387.
    expect(norm(values(tensors.get("w")))).toBeLessThan(1.1);
    expect(norm(values(tensors.get("w")))).toBeGreaterThan(1);
  });
});

describe("the sparse vector technique on files", () => {
  const svt: UpdateFilter = {
    kind: "svt",
    fraction: 0.01,
    epsilon: 10,
    noiseVar: 0.5,
    gamma: 1,
    tau: 0.5,
    replace: false,
    randomBytes,
  };

  it("lets out as many values of all tensors together as it may, and says how many there were", async () => {
    const half: Tensor = { dtype: "F16", shape: [600], data: new Uint16Array(600).fill(0x3c00) };
    const { report, tensors } = await filtered({ w: floats((i) => Math.sin(i)), half, steps }, [svt]);
    expect(report).toMatchObject({ paramsType: "DIFF", values: length + 600, leftOut: ["steps"] });
    const isLeft = (value: number): boolean => value !== 0;
    const left = values(tensors.get("w")).filter(isLeft).length + values(tensors.get("half")).filter(isLeft).length;
    expect(left).toBe(Math.ceil((length + 600) * 0.01));
  });

  it("makes other noise each time", async () => {
    const update = { w: floats(() => 1) };
    const [once, again] = [
      values((await filtered(update, [svt])).tensors.get("w")),
      values((await filtered(update, [svt])).tensors.get("w")),
    ];
    expect(once.filter((value, i) => value !== 0 && value === again[i])).toEqual([]);
  });

  it("needs each tensor of the model: which ones a script sends would be told without noise", async () => {
    const model = { a: small(0, 0), b: small(0) };
    expect(await refusal({ a: small(1, 2) }, [svt], { model })).toMatchObject({ code: "privacy/tensors-missing", facts: { tensor: "b" } });
  });
});

describe("an update that cannot be filtered", () => {
  const clip: UpdateFilter[] = [{ kind: "clip-norm", maxNorm: 1 }];

  it("is refused by the name of its tensor, and nothing is left of the work", async () => {
    const error = await refusal({ w: small(1, Number.NaN) }, clip);
    expect(error).toMatchObject({ code: "aggregate/not-finite", message: expect.stringContaining('"w"') });
  });

  it("is refused where noise goes beyond its type", async () => {
    const update: Record<string, Tensor> = { h: { dtype: "F16", shape: [64], data: new Uint16Array(64) } };
    const noise: UpdateFilter[] = [{ kind: "gaussian", clipNorm: 1e9, noiseMultiplier: 1, randomBytes }];
    expect(await refusal(update, noise)).toMatchObject({ code: "aggregate/out-of-range" });
  });

  it("is refused when it is compressed already", async () => {
    const source = await write("packed", { w: small(1) }, { "flare.compressed": "1" });
    const filtering = filterUpdate({ source, base: source, paramsType: "DIFF", outPath: outPath(), filters: clip });
    await expect(filtering).rejects.toMatchObject({ code: "aggregate/compression-invalid" });
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort();
    expect(await refusal({ w: small(1) }, clip, { signal })).toMatchObject({ code: "internal/aborted" });
  });
});
