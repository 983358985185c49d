import { createCipheriv } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announceScale } from "../announce-scale.js";
import type { ExactScale } from "../exact/exact-scale.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import type { Tensor } from "../tensor.js";
import { type MaskUpdateInit, maskUpdate } from "./mask-update.js";
import { maskedBytes } from "./masked-format.js";
import { chiSquare, RoundMasks } from "./masked-round.test-support.js";

let folder = "";
let scale: ExactScale = { gridBits: {} };
const maxWeight = 1000;
const at = (file: string): string => join(folder, file);
const f32 = (...values: number[]): Tensor => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) });

const model: readonly (readonly [string, Tensor])[] = [
  ["w", f32(0.5, -0.25, 0)],
  ["n", { dtype: "I64", shape: [1], data: BigInt64Array.of(3n) }],
  ["head", f32(1, 2)],
];
const changed = (...tensors: readonly (readonly [string, Tensor])[]): (readonly [string, Tensor])[] =>
  model.map(([name, tensor]) => tensors.find(([other]) => other === name) ?? [name, tensor]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-mask-"));
  await writeFile(at("model"), encodeSafetensors(model));
  scale = await announceScale({ model: at("model"), maxWeight });
});
afterAll(() => rm(folder, { recursive: true }));

const masks = new RoundMasks(3);
const init = (rest: Partial<MaskUpdateInit> = {}): MaskUpdateInit => ({
  model: at("model"),
  source: at("model"),
  contributor: "site-1",
  weight: 10,
  paramsType: "FULL",
  scale,
  maxWeight,
  masks: masks.of(1),
  outPath: at("masked"),
  isDurable: false,
  ...rest,
});

describe("a masked update", () => {
  it("is its terms plus the keystreams of AES-256-CTR, word by word modulo 2^64", async () => {
    await writeFile(at("update"), encodeSafetensors(changed(["w", f32(0.75, -1, 3)]).slice(0, 2)));
    const report = await maskUpdate(init({ source: at("update"), weight: 7 }));
    expect(report).toMatchObject({ weight: 7, leftOut: ["head"] });
    const gridOf = (tensor: string): number => 2 ** (scale.gridBits[tensor] ?? 0);
    // 1000 takes 10 bits of the 40 that a weight may have.
    const weight = BigInt(7 * 2 ** 30);
    const terms = [1n, weight, weight, 0n, ...[0.75, -1, 3].map((value) => BigInt(7 * value * gridOf("w"))), 21n, 0n, 0n];
    for (const { seed, sign } of masks.of(1)) {
      const stream = createCipheriv("aes-256-ctr", seed, Buffer.alloc(16)).update(Buffer.alloc(8 * terms.length));
      for (const [i, term] of terms.entries()) terms[i] = BigInt.asIntN(64, term + BigInt(sign) * stream.readBigInt64LE(8 * i));
    }
    const bytes = await readFile(at("masked"));
    const { dataOffset } = parseSafetensorsHeader(bytes);
    expect([...new BigInt64Array(new Uint8Array(bytes.subarray(dataOffset)).buffer)]).toEqual(terms);
    expect([...decodeSafetensors(bytes)].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ["flare.masked.words", "I64", [4]],
      ["w", "I64", [3]],
      ["n", "I64", [1]],
      ["head", "I64", [2]],
    ]);
    expect(bytes.byteLength).toBe(await maskedBytes(init()));
    expect(report.bytes).toBe(bytes.byteLength);
  });

  it("has the same bytes for the same arguments, and other ones for any other seed", async () => {
    const { sha256 } = await maskUpdate(init());
    expect((await maskUpdate(init({ outPath: at("again") }))).sha256).toBe(sha256);
    const [first, ...rest] = masks.of(1);
    const other = { seed: new RoundMasks(3, "attempt 2").self(1).seed, sign: first?.sign ?? 1 };
    expect((await maskUpdate(init({ masks: [other, ...rest] }))).sha256).not.toBe(sha256);
  });

  it("says nothing in its header of the sender, its weight or what it lacks", async () => {
    await writeFile(at("update"), encodeSafetensors(model.slice(0, 1)));
    await maskUpdate(init());
    const whole = parseSafetensorsHeader(await readFile(at("masked")));
    await maskUpdate(init({ source: at("update"), contributor: "site-2", weight: 500, masks: masks.of(2) }));
    expect(parseSafetensorsHeader(await readFile(at("masked")))).toEqual(whole);
  });

  it("counts a weight that is not whole as far as the grid of weights tells it apart", async () => {
    await writeFile(at("update"), encodeSafetensors(model.slice(0, 1)));
    const weightOf = async (weight: number): Promise<number> => (await maskUpdate(init({ source: at("update"), weight }))).weight;
    expect(await weightOf(0.1)).toBe(Math.round(0.1 * 2 ** 30) / 2 ** 30);
    expect(await weightOf(1000)).toBe(1000);
    await expect(weightOf(2 ** -32)).rejects.toMatchObject({ code: "aggregate/weight-invalid", facts: { least: 2 ** -30 } });
  });
});

describe("what the server may learn", () => {
  /** Zeros: nothing in them looks like noise. */
  const length = 65_536;
  const sites = [0, 1, 2, 3];
  const seen: Uint8Array[] = [];
  const mostOfUniform = 255 + 6 * Math.sqrt(2 * 255);

  beforeAll(async () => {
    await writeFile(at("zeros"), encodeSafetensors([["w", { dtype: "F32", shape: [length], data: new Float32Array(length) }]]));
    const round = new RoundMasks(sites.length, "uniform");
    const zeros = { model: at("zeros"), source: at("zeros"), scale: await announceScale({ model: at("zeros"), maxWeight }) };
    for (const site of sites) {
      await maskUpdate(init({ ...zeros, masks: round.of(site) }));
      const bytes = await readFile(at("masked"));
      const { dataOffset } = parseSafetensorsHeader(bytes);
      // What the server is told of the self mask it takes away itself.
      const words = new BigInt64Array(new Uint8Array(bytes.subarray(dataOffset)).buffer);
      const self = createCipheriv("aes-256-ctr", round.self(site).seed, Buffer.alloc(16)).update(new Uint8Array(words.byteLength));
      seen.push(new Uint8Array(words.buffer), new Uint8Array(words.map((word, i) => word - self.readBigInt64LE(8 * i)).buffer));
    }
  });

  const sumOf = (sitesOf: readonly number[]): Uint8Array => {
    const sum = new BigInt64Array(length + 2);
    for (const site of sitesOf) {
      const words = new BigInt64Array(seen[2 * site + 1]?.buffer ?? new ArrayBuffer(0));
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0n) + (words[i] ?? 0n);
    }
    return new Uint8Array(sum.buffer);
  };

  it("of each update looks uniform, with its self mask and without", () => {
    expect(seen).toHaveLength(2 * sites.length);
    for (const bytes of seen) expect(chiSquare(bytes)).toBeLessThan(mostOfUniform);
  });

  it("of every sum that lacks an update looks uniform, and the sum of all is the sum of all", () => {
    for (let set = 1; set < 2 ** sites.length - 1; set++) {
      const some = sites.filter((site) => (set & (1 << site)) !== 0);
      expect({ some, isUniform: chiSquare(sumOf(some)) < mostOfUniform }).toEqual({ some, isUniform: true });
    }
    const all = new BigInt64Array(sumOf(sites).buffer);
    expect([...all.subarray(0, 2)]).toEqual([4n, BigInt(4 * 10 * 2 ** 30)]);
    expect(all.subarray(2).every((word) => word === 0n)).toBe(true);
    expect(chiSquare(sumOf(sites))).toBeGreaterThan(mostOfUniform);
  });
});

describe("at the site", () => {
  const [self = { seed: new Uint8Array(32), sign: 1 as const }] = masks.of(1);
  it.each<[string, string, Partial<MaskUpdateInit>]>([
    ["a weight above the announced one", "aggregate/weight-too-large", { weight: 1001 }],
    ["a weight of zero", "aggregate/weight-invalid", { weight: 0 }],
    ["a weight that is no number", "aggregate/weight-invalid", { weight: Number.NaN }],
    ["a broken weight of integers", "aggregate/weight-invalid", { weight: 2.5 }],
    ["no mask", "aggregate/mask-invalid", { masks: [] }],
    ["a short seed", "aggregate/mask-invalid", { masks: [{ seed: new Uint8Array(31), sign: 1 }] }],
    ["a sign that is none", "aggregate/mask-invalid", { masks: [{ ...self, sign: 0 as 1 }] }],
    ["a seed twice, which hides nothing", "aggregate/mask-invalid", { masks: [self, { ...self, sign: -1 }] }],
    ["a scale that lacks a tensor", "aggregate/scale-incomplete", { scale: { gridBits: { w: 20 } } }],
    ["a largest weight of zero", "aggregate/weight-invalid", { maxWeight: 0 }],
    ["a file that is not there", "file/not-found", { source: "/nowhere" }],
  ])("%s is refused", async (_what, code, rest) => {
    expect(await refusal(rest)).toEqual({ code, left: [] });
  });

  it.each<[string, string, readonly (readonly [string, Tensor])[]]>([
    ["NaN", "aggregate/not-finite", changed(["w", f32(0, Number.NaN, 0)])],
    ["infinity", "aggregate/not-finite", changed(["head", f32(-Infinity, 0)])],
    ["a value off the grid", "aggregate/out-of-range", changed(["w", f32(0, 0, 1e9)])],
    [
      "an integer that is too large",
      "aggregate/out-of-range",
      changed(["n", { dtype: "I64", shape: [1], data: BigInt64Array.of(2n ** 49n) }]),
    ],
    ["a lowest integer", "aggregate/out-of-range", changed(["n", { dtype: "I64", shape: [1], data: BigInt64Array.of(-(2n ** 63n)) }])],
    ["another shape", "aggregate/layout-mismatch", changed(["w", f32(1, 2)])],
    ["a tensor that the model lacks", "aggregate/unknown-tensor", [["other", f32(1)]]],
    ["no tensor", "aggregate/update-empty", []],
  ])("an update with %s is refused", async (_what, code, tensors) => {
    await writeFile(at("update"), encodeSafetensors(tensors));
    expect(await refusal({ source: at("update") })).toEqual({ code, left: [] });
  });

  it("an abort leaves no file, also while keystreams are made", async () => {
    const stop = new AbortController();
    const onProgress = (): void => stop.abort();
    expect(await refusal({ onProgress, signal: stop.signal, source: at("zeros"), ...(await zerosRound()) })).toEqual({
      code: "internal/aborted",
      left: [],
    });
    expect(await refusal({ signal: AbortSignal.abort() })).toEqual({ code: "internal/aborted", left: [] });
    const later = new AbortController();
    setImmediate(() => later.abort());
    const many = Array.from({ length: 600 }, (_, i) => new RoundMasks(1, `many ${i}`).self(0));
    expect(await refusal({ masks: many, signal: later.signal, source: at("zeros"), ...(await zerosRound()) })).toEqual({
      code: "internal/aborted",
      left: [],
    });
  });

  const zerosRound = async (): Promise<Partial<MaskUpdateInit>> => ({
    model: at("zeros"),
    scale: await announceScale({ model: at("zeros"), maxWeight }),
  });

  /** The code of the refusal, and what it has left. */
  async function refusal(rest: Partial<MaskUpdateInit>): Promise<{ readonly code: unknown; readonly left: readonly string[] }> {
    const code: unknown = await maskUpdate(init({ ...rest, outPath: at("never") })).then(
      () => "none",
      (cause: unknown) => (cause instanceof FlareError ? cause.code : cause),
    );
    return { code, left: (await readdir(folder)).filter((file) => file.startsWith("never")) };
  }
});
