import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "@flare-ts/aggregator";
import type { UpdateFilterSettings, UpdateForm } from "@flare-ts/contracts/job";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TrainerResult } from "./job-channel.js";
import { prepareUpdate } from "./prepare-update.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-prepare-"));
});
afterEach(() => rm(folder, { recursive: true }));

const f32 = (...values: number[]): Tensor => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) });
const model = { body: f32(1, 1), head: f32(2), steps: { dtype: "I64", shape: [1], data: BigInt64Array.of(7n) } as const };

async function prepared(
  tensors: Readonly<Record<string, Tensor>>,
  { filters = [], form }: { readonly filters?: readonly UpdateFilterSettings[]; readonly form?: UpdateForm },
) {
  const modelPath = join(folder, "model.safetensors");
  const path = join(folder, "result.safetensors");
  await writeFile(modelPath, encodeSafetensors(Object.entries(model)));
  await writeFile(path, encodeSafetensors(Object.entries(tensors)));
  const trained: TrainerResult = { path, paramsType: "FULL", weight: 1, metrics: {}, meta: {} };
  const { signal } = new AbortController();
  const { result } = await prepareUpdate(trained, { task: { modelPath }, filters, form, randomBytes, signal });
  const out = decodeSafetensors(await readFile(result.path), result.path);
  return { trained, result, tensors: Object.fromEntries([...out].map(([name, { data }]) => [name, Array.from(data as Float32Array)])) };
}

it("filters in the order of the job, and leaves the trainer's own file as it is", async () => {
  const filters: UpdateFilterSettings[] = [
    { kind: "ExcludeVars", names: "^he" },
    { kind: "ClipNorm", maxNorm: 1 },
  ];
  const { trained, result, tensors } = await prepared({ ...model, body: f32(4, 5), head: f32(9) }, { filters });
  expect(result.paramsType).toBe("DIFF");
  expect(tensors).toEqual({ body: [expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)] });
  expect((await readdir(folder)).sort()).toEqual(["model.safetensors", "result.filtered.safetensors", "result.safetensors"]);
  expect(trained.path).not.toBe(result.path);
});

it("leaves out tensors by their names, of a whole model too", async () => {
  const { result, tensors } = await prepared(
    { ...model, body: f32(4, 5) },
    { filters: [{ kind: "ExcludeVars", names: ["head", "other"] }] },
  );
  expect(result.paramsType).toBe("FULL");
  expect(tensors).toMatchObject({ body: [4, 5] });
  expect(Object.keys(tensors).sort()).toEqual(["body", "steps"]);
});

it("makes what is left small, and leaves nothing between the two", async () => {
  const { result } = await prepared(
    { ...model, body: f32(4, 5) },
    { filters: [{ kind: "GaussianPrivacy", clipNorm: 1, noiseMultiplier: 0.5 }], form: "bfloat16" },
  );
  expect(result.meta).toMatchObject({ "flare.wire": { form: "bfloat16" } });
  expect((await readdir(folder)).sort()).toEqual(["model.safetensors", "result.filtered.small.safetensors", "result.safetensors"]);
});

it("lets a few values out where the job has the sparse vector technique", async () => {
  const args = { fraction: 0.5, epsilon: 1, noiseVar: 1, gamma: 1, tau: 0, replace: false };
  const parts = { epsilonThreshold: undefined, epsilonQuery: undefined, epsilonRelease: undefined };
  const { result, tensors } = await prepared({ ...model, body: f32(4, 5) }, { filters: [{ kind: "SVTPrivacy", ...args, ...parts }] });
  expect(result.paramsType).toBe("DIFF");
  expect(Object.keys(tensors)).toEqual(["body", "head"]);
  expect([...(tensors["body"] ?? []), ...(tensors["head"] ?? [])].filter((value) => value !== 0)).toHaveLength(2);
});

it("leaves an evaluation alone", async () => {
  const { trained, result } = await prepared({}, { filters: [{ kind: "ClipNorm", maxNorm: 1 }], form: "float16" });
  expect(result).toBe(trained);
});
