import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FlareError } from "@flare-ts/contracts/errors";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AggregationEngine, Update } from "../aggregation-engine.js";
import { compressUpdate } from "../compression/compress-update.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

/** How many mutated files are sent: set the variable to 10000 for the full proof, which takes minutes. */
const mutations = Number(process.env["FLARE_MUTATIONS"] ?? 500);

const nowMs = (): number => performance.now();
let folder = "";
let js: AggregationEngine;
let wasm: AggregationEngine;
/** Good updates: plain, and in every compressed form. */
let good: readonly Uint8Array[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-hostile-"));
  js = new ExactJsEngine({ nowMs });
  wasm = await WasmEngine.create({ nowMs }, { threads: 2 });
  const source = join(folder, "plain.safetensors");
  await writeFile(source, model());
  const forms = [{ form: "int8", block: 32 }, { form: "top-k", fraction: 0.2 }, { form: "float16" }, { form: "bfloat16" }] as const;
  const compressed = forms.map(async (form) => {
    const outPath = join(folder, `${form.form}.safetensors`);
    await compressUpdate({ ...form, source, outPath });
    return readFile(outPath);
  });
  good = [model(), ...(await Promise.all(compressed))];
});
afterAll(async () => {
  await wasm.close();
  await rm(folder, { recursive: true });
});

function model(): Uint8Array {
  return encodeSafetensors(
    [
      [
        "conv.weight",
        { dtype: "F32", shape: [5, 61], data: Float32Array.from({ length: 305 }, (_, i) => Math.sin(i) * 10 ** ((i % 5) - 2)) },
      ],
      ["conv.bias", { dtype: "F16", shape: [7], data: Uint16Array.from({ length: 7 }, (_, i) => 0x3c00 + i) }],
      ["mean", { dtype: "F64", shape: [3], data: Float64Array.of(1e-3, -5, 1e6) }],
      ["steps", { dtype: "I64", shape: [], data: BigInt64Array.of(3n) }],
      ["flags", { dtype: "BOOL", shape: [3], data: Uint8Array.of(1, 0, 1) }],
      ["empty", { dtype: "F32", shape: [0, 7], data: new Float32Array(0) }],
    ],
    { format: "pt", note: "é" },
  );
}

const encoder = new TextEncoder();
const tokens = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "-1",
  "1e9",
  "0",
  "7",
  "9007199254740993",
  "\\u0000",
  "\\ud800",
  '"dtype"',
  "null",
  "[[[[",
].concat(["F32", "F16", "I8", "BOOL", "I64", "::scale", "::indices", "flare.compressed", "64", "4294967296", "2147483648"]);
const insert = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.constantFrom(...tokens).map((token) => encoder.encode(token)),
);
/** Words of a header for others: lies that fit. */
const words: readonly (readonly [string, string])[] = [
  ["F32", "I32"],
  ["F32", "F64"],
  ["F16", "BF16"],
  ["BF16", "F16"],
  ["I8", "U8"],
  ["BOOL", "U8"],
  ["[5,61]", "[61,5]"],
  ["[5,61]", "[305]"],
  ["conv.weight", "conv.weigth"],
  ["conv.bias", "conv.weight"],
  ["::scale", "::indices"],
  ["::indices", "::scale"],
  ["::scale", "::scalf"],
  ['"flare.compressed":"1"', '"flare.compressed":"2"'],
  ['"flare.compressed":"1"', '"compressed":"1"'],
  ['"note":', '"flare.compressed":"1","note":'],
  ['"flare.int8-block":"32"', '"flare.int8-block":"64"'],
  ['"flare.int8-block":"32"', '"flare.int8-block":"33"'],
];
const somewhere = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const change = fc.oneof(
  /** At a fraction of the length, the header or the data. */
  fc.record({
    part: fc.constantFrom<("prefix" | "header" | "data")[]>("prefix", "header", "header", "header", "data"),
    at: somewhere,
    cut: fc.nat(12),
    insert,
  }),
  /** Other bytes in the place of as many: random ones, NaN and infinity, a number below 0. */
  fc.record({
    part: fc.constantFrom<("header" | "data")[]>("header", "data", "data", "data"),
    at: somewhere,
    insert: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.constantFrom(Uint8Array.of(0, 0, 0xc0, 0x7f), Uint8Array.of(0, 0, 0x80, 0x7f), Uint8Array.of(0xff, 0xff, 0xff, 0xff)),
    ),
  }),
  fc.record({ part: fc.constant("header" as const), words: fc.constantFrom(...words) }),
);
const hostile = fc.record({
  of: fc.nat(),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  /** Whether the prefix says how long the header has become; otherwise nearly all would fail for that alone. */
  isHeaderMeasured: fc.constantFrom(true, true, true, false),
  end: fc.constantFrom<("kept" | "cut" | "longer")[]>(...Array<"kept">(10).fill("kept"), "cut", "longer"),
  cutAt: somewhere,
});

type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

function mutate({ of, changes, isHeaderMeasured, end, cutAt }: Hostile): Uint8Array {
  const original = good[of % good.length] ?? new Uint8Array(0);
  const { dataOffset } = parseSafetensorsHeader(original);
  const parts = { prefix: original.subarray(0, 8), header: original.subarray(8, dataOffset), data: original.subarray(dataOffset) };
  for (const each of changes) {
    const bytes = parts[each.part];
    if ("words" in each) {
      parts.header = Buffer.from(
        Buffer.from(bytes)
          .toString("latin1")
          .replace(...each.words),
        "latin1",
      );
      continue;
    }
    const from = Math.floor(each.at * bytes.byteLength);
    const to = from + ("cut" in each ? each.cut : each.insert.byteLength);
    parts[each.part] = Buffer.concat([bytes.subarray(0, from), each.insert, bytes.subarray(to)]);
  }
  if (isHeaderMeasured) {
    parts.prefix = new Uint8Array(8);
    new DataView(parts.prefix.buffer).setBigUint64(0, BigInt(parts.header.byteLength), true);
  }
  const whole = Buffer.concat([parts.prefix, parts.header, parts.data]);
  if (end === "cut") return whole.subarray(0, Math.floor(whole.byteLength * cutAt));
  return end === "longer" ? Buffer.concat([whole, new Uint8Array(13)]) : whole;
}

/** The hash of the model that comes of it beside a good update, or what was refused: code and words. */
async function verdictOf(engine: AggregationEngine, source: Update["source"]): Promise<string> {
  const session = await engine.open({ model: parseSafetensorsHeader(model()), strategy: fedAvg(), paramsType: "FULL" });
  try {
    await session.add({ contributor: "good", weight: 3, source: good[0] ?? new Uint8Array(0), paramsType: "FULL" });
    await session.add({ contributor: "hostile", weight: 2, source, paramsType: "FULL" });
    return (await session.finish({ outPath: join(folder, "out.safetensors"), isDurable: false })).sha256;
  } catch (cause) {
    if (!(cause instanceof FlareError) || cause.code === "internal/bug") return `no verdict: ${String(cause)}`;
    // Files, streams and bytes are called differently.
    return `${cause.code}: ${cause.message.replace(/^\S*(bytes of hostile|hostile\.safetensors)/, "it")}`;
  } finally {
    await session.discard();
  }
}

it(`${mutations} files that were mutated anyhow are taken or refused with a code, by both engines alike, in little memory`, async () => {
  const path = join(folder, "hostile.safetensors");
  const before = process.resourceUsage().maxRSS;
  const seen = { accepted: 0, codes: new Map<string, number>() };
  await fc.assert(
    fc.asyncProperty(hostile, async (recipe) => {
      const bytes = mutate(recipe);
      const fromBytes = await verdictOf(js, bytes);
      expect(fromBytes).toMatch(/^([0-9a-f]{64}$|aggregate\/)/);
      expect(await verdictOf(wasm, bytes)).toBe(fromBytes);
      await writeFile(path, bytes);
      for (const engine of [js, wasm]) expect(await verdictOf(engine, path)).toBe(fromBytes);
      const code = fromBytes.split(":")[0] ?? "";
      if (code.startsWith("aggregate/")) seen.codes.set(code, (seen.codes.get(code) ?? 0) + 1);
      else seen.accepted += 1;
    }),
    { numRuns: mutations },
  );
  // Bytes of kibibytes each: nothing that a file says of itself was believed.
  expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(200e6);
  // The mutations reach behind the header: some are taken, and some are refused for their tensors and values.
  expect(seen.accepted).toBeGreaterThan(mutations / 20);
  const likely = ["safetensors-header", "safetensors-offsets", "safetensors-truncated", "layout-mismatch", "unknown-tensor", "not-finite"];
  expect([...seen.codes.keys()]).toEqual(expect.arrayContaining(likely.map((kind) => `aggregate/${kind}`)));
}, 1_800_000);
