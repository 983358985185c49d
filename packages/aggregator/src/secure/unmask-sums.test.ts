import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationEngine, AggregationSession } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import type { ExactScale } from "../exact/exact-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { krum } from "../strategies/krum.js";
import { coordinateMedian } from "../strategies/median.js";
import { normClip } from "../strategies/norm-clip.js";
import type { Strategy } from "../strategies/strategy.js";
import type { Tensor } from "../tensor.js";
import { WasmEngine } from "../wasm/wasm-engine.js";
import { checkMasked } from "./check-masked.js";
import type { Mask } from "./mask.js";
import { maskUpdate } from "./mask-update.js";
import { RoundMasks } from "./masked-round.test-support.js";
import { type MaskedFile, type UnmaskSumsInit, unmaskSums } from "./unmask-sums.js";

const nowMs = (): number => performance.now();
const js = new ExactJsEngine({ nowMs });
let engines: readonly AggregationEngine[] = [];
let folder = "";
let scale: ExactScale = { gridBits: {} };
const maxWeight = 100;
const at = (file: string): string => join(folder, `${file}.safetensors`);
const sites = [0, 1, 2];
const masks = new RoundMasks(4);

function model(seed = 0): Uint8Array {
  return encodeSafetensors([
    ["w", { dtype: "F32", shape: [1000], data: Float32Array.from({ length: 1000 }, (_, i) => Math.sin(seed + i)) }],
    ["n", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, seed) }],
    ["head", { dtype: "F32", shape: [2], data: Float32Array.of(seed, 1) }],
  ]);
}

const masked = (): readonly MaskedFile[] => sites.map((site) => ({ contributor: `site-${site}`, path: at(`masked-${site}`) }));
const round = (): Pick<UnmaskSumsInit, "model" | "paramsType" | "scale" | "maxWeight"> => ({
  model: at("model"),
  paramsType: "FULL",
  scale,
  maxWeight,
});
const unmask = (rest: Partial<UnmaskSumsInit> = {}): ReturnType<typeof unmaskSums> =>
  unmaskSums({
    ...round(),
    strategy: fedAvg(),
    masked: masked(),
    masks: masks.left(sites),
    outPath: at("sums"),
    isDurable: false,
    ...rest,
  });
const open = (engine: AggregationEngine, strategy: Strategy = fedAvg()): Promise<AggregationSession> =>
  engine.open({ model: at("model"), strategy, paramsType: "FULL", scale });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-unmask-"));
  engines = [js, await WasmEngine.create({ nowMs })];
  await writeFile(at("model"), model());
  scale = await announceScale({ model: at("model"), maxWeight });
  for (const site of sites) {
    // Nobody sends the head.
    const tensors = decodeSafetensors(model(site + 1));
    tensors.delete("head");
    await writeFile(at(`update-${site}`), encodeSafetensors(tensors));
    const own = { source: at(`update-${site}`), contributor: `site-${site}`, weight: 10 * (site + 1), masks: masks.of(site) };
    await maskUpdate({ ...round(), ...own, outPath: at(`masked-${site}`), isDurable: false });
  }
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true });
});

describe("the sum of masked updates", () => {
  it("names contributors and the weights behind each tensor, and holds the tensors that anybody sent", async () => {
    const report = await unmask();
    expect(report).toMatchObject({ contributors: ["site-0", "site-1", "site-2"], weights: { w: 60, n: 60, head: 0 } });
    const bytes = await readFile(at("sums"));
    expect(report.bytes).toBe(bytes.byteLength);
    const tensors = decodeSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(["w", "n"]);
    expect(tensors.get("n")?.data).toEqual(BigInt64Array.of(60n, 120n, 140n));
  });

  const left = masks.left(sites);
  it.each<[string, readonly Mask[]]>([
    ["without one of the masks", left.slice(1)],
    ["without any", []],
    [
      "with a mask of another attempt",
      [...left.slice(0, -1), { ...(left.at(-1) as Mask), seed: new RoundMasks(4, "attempt 2").self(3).seed }],
    ],
    ["with the contrary sign", left.map((mask, i) => (i === 0 ? { ...mask, sign: -1 as const } : mask))],
    ["with a mask too many", [...left, masks.self(3)]],
    ["with a pair that cancels", [...left, masks.pair(0, 1)]],
  ])("%s is refused, and no file is left", async (_what, wrong) => {
    expect(await refusal({ masks: wrong })).toEqual({ code: "aggregate/unmasking-failed", left: [] });
  });

  it("without one of its updates, or with the same one in the place of another, is refused", async () => {
    expect(await refusal({ masked: masked().slice(1) })).toEqual({ code: "aggregate/unmasking-failed", left: [] });
    const copied = masked().map(({ contributor }) => ({ contributor, path: at("masked-0") }));
    expect(await refusal({ masked: copied })).toEqual({ code: "aggregate/unmasking-failed", left: [] });
  });

  it("in which one word was damaged is refused wherever what comes out cannot be, and never has a weight that cannot be", async () => {
    const bytes = await readFile(at("masked-1"));
    const { dataOffset, tensors } = parseSafetensorsHeader(bytes);
    const damaged = masked().map((each, i) => (i === 1 ? { ...each, path: at("damaged") } : each));
    const placeOf = (name: string): number => dataOffset + (tensors.find((each) => each.name === name)?.byteOffset ?? 0);
    for (const place of [
      dataOffset,
      dataOffset + 8,
      dataOffset + 24,
      placeOf("w"),
      placeOf("w") + 8 * 999,
      placeOf("n"),
      placeOf("head"),
    ]) {
      const copy = Buffer.from(bytes);
      copy[place + 7] = (copy[place + 7] ?? 0) ^ 0x40;
      await writeFile(at("damaged"), copy);
      expect(await refusal({ masked: damaged })).toEqual({ code: "aggregate/unmasking-failed", left: [] });
    }
  });

  it.each<[string, string, Partial<UnmaskSumsInit>]>([
    ["of nobody", "aggregate/no-contributions", { masked: [] }],
    ["of somebody twice", "aggregate/contributor-twice", { masked: [0, 0].map(() => ({ contributor: "site-0", path: "/nowhere" })) }],
    ["with a short seed", "aggregate/mask-invalid", { masks: [{ seed: new Uint8Array(16), sign: 1 }] }],
    ["with the same mask twice", "aggregate/mask-invalid", { masks: [masks.self(0), masks.self(0)] }],
    ["for a strategy that looks at each update", "aggregate/strategy-unfit", { strategy: krum({ byzantine: 0 }) }],
    ["for a median", "aggregate/strategy-unfit", { strategy: coordinateMedian() }],
    ["for a strategy that looks at norms", "aggregate/strategy-unfit", { strategy: normClip({ clipNorm: 1 }) }],
    ["for another largest weight", "aggregate/masked-invalid", { maxWeight: 200 }],
    ["for differences", "aggregate/masked-invalid", { paramsType: "DIFF" }],
    ["for a scale that is another", "aggregate/masked-invalid", { scale: { gridBits: { w: 20, head: 20 } } }],
    ["after an abort", "internal/aborted", { signal: AbortSignal.abort() }],
    ["of a file that is not there", "file/not-found", { masked: [{ contributor: "a", path: "/nowhere" }] }],
  ])("%s is refused", async (_what, code, rest) => {
    expect(await refusal(rest)).toEqual({ code, left: [] });
  });

  /** The code of the refusal, and what it has left. */
  async function refusal(rest: Partial<UnmaskSumsInit>): Promise<{ readonly code: unknown; readonly left: readonly string[] }> {
    const code: unknown = await unmask({ ...rest, outPath: at("never") }).then(
      () => "none",
      (cause: unknown) => (cause instanceof FlareError ? cause.code : cause),
    );
    return { code, left: (await readdir(folder)).filter((file) => file.startsWith("never")) };
  }
});

describe("a masked update that arrives", () => {
  const check = (path: string, rest = {}): Promise<void> => checkMasked({ ...round(), contributor: "site-0", path, ...rest });

  it("is let through where it goes with its round", async () => {
    for (const { path } of masked()) await expect(check(path)).resolves.toBeUndefined();
  });

  it("is refused by its sender's name where it does not", async () => {
    const { metadata } = parseSafetensorsHeader(await readFile(at("masked-0")));
    const tensors = [...decodeSafetensors(await readFile(at("masked-0")))];
    const other = async (name: string, changed: typeof tensors): Promise<string> => {
      await writeFile(at(name), encodeSafetensors(changed, metadata));
      return at(name);
    };
    const words: Tensor = { dtype: "I64", shape: [3], data: new BigInt64Array(3) };
    const wrong = [
      at("update-0"),
      at("model"),
      await other("fewer", tensors.slice(0, -1)),
      await other("more", [...tensors, ["more", words]]),
      await other("turned", tensors.toReversed()),
      await other("shorter", [["flare.masked.words", words], ...tensors.slice(1)]),
    ];
    for (const path of wrong)
      await expect(check(path)).rejects.toMatchObject({ code: "aggregate/masked-invalid", facts: { contributor: "site-0" } });
    await expect(check(at("masked-0"), { maxWeight: 99 })).rejects.toMatchObject({ code: "aggregate/masked-invalid" });
    const bytes = await readFile(at("masked-0"));
    await writeFile(at("cut"), bytes.subarray(0, -8));
    await expect(check(at("cut"))).rejects.toMatchObject({ code: "aggregate/safetensors-truncated" });
    expect((await readFile(at("masked-0"))).equals(bytes)).toBe(true);
  });
});

describe("a session with sums of masked updates", () => {
  it("passes them on in a tree of sums, to the same bytes", async () => {
    await unmask();
    const own = { contributor: "plain", weight: 5, source: model(9), paramsType: "FULL" } as const;
    const hashes = new Set<string>();
    for (const engine of engines) {
      const flat = await open(engine);
      for (const site of sites)
        await flat.add({ contributor: `site-${site}`, weight: 10 * (site + 1), source: at(`update-${site}`), paramsType: "FULL" });
      await flat.add(own);
      hashes.add((await flat.finish({ outPath: at("out"), base: at("model"), isDurable: false })).sha256);

      const relay = await open(engine);
      await relay.addSums(at("sums"));
      await relay.finishSums({ outPath: at("relay"), isDurable: false });
      const top = await open(engine);
      await top.addSums(at("relay"));
      await top.add(own);
      const report = await top.finish({ outPath: at("out"), base: at("model"), isDurable: false });
      hashes.add(report.sha256);
      expect(report.contributors.map(({ contributor }) => contributor)).toEqual(["plain"]);
      expect(report.together).toMatchObject([{ contributors: ["site-0", "site-1", "site-2"], weight: 60, tensors: 2, partialTensors: [] }]);
      expect(report.skippedTensors).toEqual([]);
    }
    expect(hashes.size).toBe(1);
  });

  it("takes nobody twice, and nobody else out with them", async () => {
    await unmask();
    const session = await open(js);
    await session.addSums(at("sums"));
    const again = session.add({ contributor: "site-1", weight: 5, source: model(9), paramsType: "FULL" });
    await expect(again).rejects.toMatchObject({ code: "aggregate/contributor-twice", facts: { contributor: "site-1" } });
    expect(await session.remove("site-1")).toBe(false);
    expect(await session.remove(at("sums"))).toBe(true);
    await session.add({ contributor: "site-1", weight: 5, source: model(9), paramsType: "FULL" });
    const report = await session.finish({ outPath: at("out"), isDurable: false });
    expect([report.contributors.length, report.together]).toEqual([1, []]);
  });

  it("refuses them where the strategy weighs each contributor", async () => {
    await unmask();
    const weighs: Strategy = { ...fedAvg(), weigh: ({ contributors }) => contributors.map(() => ({ factor: 1, weight: 1 })) };
    const session = await open(js, weighs);
    await expect(session.addSums(at("sums"))).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
    await session.discard();
  });

  it.each<[string, (group: Record<string, unknown>, heading: Record<string, unknown>) => unknown]>([
    ["that name nobody", (group) => (group["contributors"] = [])],
    ["that name somebody twice", (group) => (group["contributors"] = ["a", "b", "a"])],
    ["that name a number", (group) => (group["contributors"] = [5])],
    ["of fewer weights than tensors", (group) => (group["weights"] = [60, 60])],
    ["of a negative weight", (group) => (group["weights"] = [60, -60, 0])],
    ["of an enormous weight", (group) => (group["weights"] = [1e300, 60, 0])],
    ["of a broken weight of integers", (group) => (group["weights"] = [60, 0.5, 0])],
    ["of weights behind a tensor that is not there", (group) => (group["weights"] = [60, 60, 60])],
    ["of a tensor without weights", (group) => (group["weights"] = [0, 60, 0])],
    ["of bytes that are none", (group) => (group["bytes"] = "many")],
    ["in no list", (_, heading) => (heading["together"] = {})],
    ["in an empty list", (_, heading) => (heading["together"] = [])],
    ["that are null", (_, heading) => (heading["together"] = [null])],
  ])("refuses contributors %s", async (_what, change) => {
    await unmask();
    const bytes = await readFile(at("sums"));
    const heading = JSON.parse(parseSafetensorsHeader(bytes).metadata["flare.sums"] ?? "") as { together: Record<string, unknown>[] };
    change(heading.together[0] ?? {}, heading);
    await writeFile(at("hostile"), encodeSafetensors([...decodeSafetensors(bytes)], { "flare.sums": JSON.stringify(heading) }));
    for (const engine of engines) {
      const session = await open(engine);
      await expect(session.addSums(at("hostile"))).rejects.toMatchObject({ code: "aggregate/sums-invalid" });
      await session.discard();
    }
  });
});
