import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AggregationEngine,
  type AggregationReport,
  decodeSafetensors,
  encodeSafetensors,
  type FinishInit,
  type FinishProgress,
  fedAvg,
  type ParamsType,
  parseSafetensorsHeader,
  type Tensor,
  type Update,
} from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allDtypes, bf16, bool, f16, f32, f64, fileOf, i64, longModel, numbersOf } from "./sample-models.js";

export interface AggregationEngineComplianceInit {
  /** How the tests are headed. */
  readonly name: string;
  /** Gives the engine under test; it is asked for in each test. */
  readonly engine: () => AggregationEngine;
  /** What floating tensors are summed in: float32 is held to the error that its roundings may add up to. @default "float64" */
  readonly sums?: "float32" | "float64";
}

/** Holds an engine to what `AggregationEngine` and `AggregationSession` promise; call it in a test file. */
export function aggregationEngineCompliance({ name, engine, sums = "float64" }: AggregationEngineComplianceInit): void {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-compliance-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const outPath = (): string => join(folder, "out.safetensors");
  const readOut = async (): Promise<Map<string, Tensor>> => decodeSafetensors(await readFile(outPath()));
  const update = (contributor: string, weight: number, source: Update["source"], paramsType: ParamsType = "FULL"): Update => ({
    contributor,
    weight,
    source,
    paramsType,
  });
  const openFor = (model: Uint8Array, paramsType: ParamsType = "FULL"): ReturnType<AggregationEngine["open"]> =>
    engine().open({ model: parseSafetensorsHeader(model), strategy: fedAvg(), paramsType });
  const aggregate = async (model: Uint8Array, updates: readonly Update[], finish: Partial<FinishInit> = {}): Promise<AggregationReport> => {
    const session = await openFor(model, updates[0]?.paramsType);
    for (const each of updates) await session.add(each);
    // Most tests ask for the bytes alone; those that call `finish` themselves wait for the disk.
    return session.finish({ outPath: outPath(), isDurable: false, ...finish });
  };
  const saved = async (file: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(folder, file), bytes);
    return join(folder, file);
  };

  describe(`${name}: means`, () => {
    it("are weighted by the numbers of samples", async () => {
      const model = fileOf({ w: f32([0, 0]) });
      await aggregate(model, [update("a", 1, fileOf({ w: f32([1, -8]) })), update("b", 3, fileOf({ w: f32([5, 8]) }))]);
      expect(numbersOf(await readOut(), "w")).toEqual([4, 4]);
    });

    it("have the type of the model, for every type", async () => {
      await aggregate(allDtypes(0, 0), [update("a", 1, allDtypes(2, 1)), update("b", 1, allDtypes(4, 1))]);
      const out = await readOut();
      expect(Object.fromEntries([...out].map(([tensor, { data }]) => [tensor, Number(data[0])]))).toEqual({
        F64: 3,
        F32: 3,
        F16: 0x4200,
        BF16: 0x4040,
        I64: 3,
        I32: 3,
        I16: 3,
        I8: 3,
        U8: 3,
        BOOL: 1,
      });
    });

    it("of integers are exact and rounded to the nearest, ties to even", async () => {
      const model = fileOf({ steps: i64([0n, 0n, 0n]), seen: bool([0, 0]) });
      const [a, b] = [
        fileOf({ steps: i64([2n ** 62n, 1n, 2n]), seen: bool([1, 1]) }),
        fileOf({ steps: i64([2n ** 62n + 2n, 2n, 3n]), seen: bool([0, 1]) }),
      ];
      await aggregate(model, [update("a", 1, a), update("b", 1, b)]);
      const out = await readOut();
      expect([...(out.get("steps")?.data ?? [])]).toEqual([2n ** 62n + 1n, 2n, 2n]);
      expect(numbersOf(out, "seen")).toEqual([0, 1]);
    });

    // Sums in float32 are rounded before they are rounded again.
    it.each(sums === "float32" ? [] : ["once, to nearest, ties to even"])("of 16-bit types are rounded %s", async () => {
      // 1 and the next number above: the middle is a tie, and a hair above the middle is not.
      const model = fileOf({ h: f16([0, 0]), b: bf16([0, 0]) });
      const low = fileOf({ h: f16([0x3c00, 0x3c00]), b: bf16([0x3f80, 0x3f80]) });
      const high = fileOf({ h: f16([0x3c01, 0x3c01]), b: bf16([0x3f81, 0x3f81]) });
      await aggregate(model, [update("a", 2 ** 20, low), update("b", 2 ** 20, high)]);
      expect(numbersOf(await readOut(), "h")).toEqual([0x3c00, 0x3c00]);
      expect(numbersOf(await readOut(), "b")).toEqual([0x3f80, 0x3f80]);
      await aggregate(model, [update("a", 2 ** 28, low), update("b", 2 ** 28 + 1, high)]);
      expect(numbersOf(await readOut(), "h")).toEqual([0x3c01, 0x3c01]);
      expect(numbersOf(await readOut(), "b")).toEqual([0x3f81, 0x3f81]);
    });

    it("keep scalars, empty tensors, odd lengths, and names that objects treat specially", async () => {
      const tensors = { "": f32([1], []), __proto__x: f32([], [0, 3]), "7": f32([1, 2, 3]), constructor: f64([0.5]) };
      const model = fileOf(tensors);
      await aggregate(model, [update("a", 5, model)]);
      expect(Buffer.compare(await readFile(outPath()), model)).toBe(0);
    });

    it("do not mix magnitudes of different tensors", async () => {
      const model = fileOf({ bias: f32([1e-6, -3e-7]), running_var: f32([1e6, 12_345.678]) });
      await aggregate(model, [update("a", 1, model), update("b", 1_000_000, model)]);
      expect(Buffer.compare(await readFile(outPath()), model)).toBe(0);
    });

    it("are near those of float64 over 160 tensors and 64 updates", async () => {
      const updates = Array.from({ length: 64 }, (_, i) => update(`site-${i}`, 1 + i, longModel(i)));
      await aggregate(longModel(0), updates);
      const all = updates.map(({ source }) => decodeSafetensors(source as Uint8Array));
      const total = (64 * 65) / 2;
      for (const [tensor, { data }] of await readOut()) {
        for (const [element, got] of data.entries()) {
          const terms = all.map((each, i) => ((i + 1) * Number(each.get(tensor)?.data[element])) / total);
          const mean = terms.reduce((sum, term) => sum + term, 0);
          const rounding = sums === "float32" ? 66 * 2 ** -24 * terms.reduce((sum, term) => sum + Math.abs(term), 0) : 2 ** -40;
          expect(Math.abs(Number(got) - mean)).toBeLessThanOrEqual(2 ** -23 * Math.abs(mean) + rounding);
        }
      }
    });

    it("take a tensor that only some sent from those alone, and report it", async () => {
      const model = fileOf({ shared: f32([0]), head: f32([0]) });
      const report = await aggregate(model, [
        update("a", 1, fileOf({ shared: f32([2]), head: f32([7]) })),
        update("b", 1, fileOf({ shared: f32([4]) })),
      ]);
      expect([numbersOf(await readOut(), "shared"), numbersOf(await readOut(), "head")]).toEqual([[3], [7]]);
      expect(report.partialTensors).toEqual([{ tensor: "head", contributors: 1 }]);
      expect(report.skippedTensors).toEqual([]);
    });

    it("take a tensor that nobody sent from the base, and leave it out without one", async () => {
      const model = fileOf({ shared: f32([0]), frozen: f32([9]) });
      const sent = [update("a", 1, fileOf({ shared: f32([2]) }))];
      const report = await aggregate(model, sent, { base: await saved("base.safetensors", model) });
      expect([numbersOf(await readOut(), "shared"), numbersOf(await readOut(), "frozen")]).toEqual([[2], [9]]);
      expect(report.skippedTensors).toEqual(["frozen"]);
      await aggregate(model, sent);
      expect([...(await readOut()).keys()]).toEqual(["shared"]);
    });

    it("of differences are added to the base, which may be overwritten by the result", async () => {
      const base = fileOf({ w: f32([10, 20]), steps: i64([100n]), frozen: f64([0.1]) });
      const path = await saved("out.safetensors", base);
      const diff = (by: number): Uint8Array => fileOf({ w: f32([by, -by]), steps: i64([BigInt(by)]) });
      await aggregate(base, [update("a", 1, diff(1), "DIFF"), update("b", 1, diff(4), "DIFF")], { base: path });
      const out = await readOut();
      expect([numbersOf(out, "w"), numbersOf(out, "steps"), numbersOf(out, "frozen")]).toEqual([[12.5, 17.5], [102], [0.1]]);
    });
  });

  describe(`${name}: order`, () => {
    it("does not change a bit, one after the other or at once, from files or from bytes", async () => {
      const models = Array.from({ length: 9 }, (_, i) => longModel(i + 1));
      const fromBytes = models.map((bytes, i) => update(`site-${i}`, 17 * i + 3, bytes));
      const fromFiles = await Promise.all(
        models.map(async (bytes, i) => update(`site-${i}`, 17 * i + 3, await saved(`${i}.safetensors`, bytes))),
      );
      const { sha256 } = await aggregate(longModel(0), fromBytes);
      expect((await aggregate(longModel(0), fromBytes.toReversed())).sha256).toBe(sha256);
      for (let shift = 1; shift < 9; shift++) {
        const session = await openFor(longModel(0));
        await Promise.all([...fromFiles.slice(shift), ...fromFiles.slice(0, shift)].map((each) => session.add(each)));
        expect((await session.finish({ outPath: outPath() })).sha256).toBe(sha256);
      }
    });
  });

  describe(`${name}: a stream of chunks`, () => {
    const model = longModel(0);
    const cut = async function* (bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size);
    };
    const openSpooling = (): ReturnType<AggregationEngine["open"]> =>
      engine().open({ model: parseSafetensorsHeader(model), strategy: fedAvg(), paramsType: "FULL", spoolFolder: folder });

    it("gives the same bytes wherever it is cut, and is not left behind", async () => {
      const { sha256 } = await aggregate(model, [update("a", 3, longModel(1)), update("b", 5, longModel(2))]);
      for (const size of [7, 1000, 1e6]) {
        const session = await openSpooling();
        await Promise.all([session.add(update("b", 5, cut(longModel(2), size))), session.add(update("a", 3, cut(longModel(1), size)))]);
        expect((await session.finish({ outPath: outPath() })).sha256).toBe(sha256);
      }
      expect(await readdir(folder)).toEqual(["out.safetensors"]);
    });

    it("that breaks off, is too long, is refused or never goes on leaves no trace", async () => {
      const session = await openSpooling();
      const breaking = async function* (): AsyncGenerator<Uint8Array> {
        yield model.slice(0, 100);
        throw new Error("the line is cut");
      };
      const endless = async function* (): AsyncGenerator<Uint8Array> {
        for (;;) yield new Uint8Array(50_000_000);
      };
      const stuck = async function* (): AsyncGenerator<Uint8Array> {
        yield model.slice(0, 100);
        await new Promise(() => {});
      };
      await expect(session.add(update("a", 1, breaking()))).rejects.toThrow("the line is cut");
      await expect(session.add(update("a", 1, endless()))).rejects.toMatchObject({ code: "aggregate/safetensors-limit" });
      await expect(session.add(update("a", 1, cut(model.slice(0, -1), 100)))).rejects.toMatchObject({
        code: "aggregate/safetensors-truncated",
      });
      const adding = session.add(update("a", 1, stuck()));
      await Promise.all([expect(adding).rejects.toMatchObject({ code: "internal/aborted" }), session.discard()]);
      expect(await readdir(folder)).toEqual([]);
    });
  });

  describe(`${name}: an update is refused`, () => {
    const model = fileOf({ w: f32([1, 2, 3]), flag: bool([1]) });
    const refused: readonly { readonly what: string; readonly code: string; readonly bad: Update; readonly tensor?: string }[] = [
      { what: "with NaN", code: "aggregate/not-finite", bad: update("bad", 1, fileOf({ w: f32([1, Number.NaN, 3]) })), tensor: "w" },
      {
        what: "with infinity",
        code: "aggregate/not-finite",
        bad: update("bad", 1, fileOf({ w: f32([1, 2, Number.NEGATIVE_INFINITY]) })),
        tensor: "w",
      },
      { what: "with a BOOL of 2", code: "aggregate/value-invalid", bad: update("bad", 1, fileOf({ flag: bool([2]) })), tensor: "flag" },
      {
        what: "with another shape",
        code: "aggregate/layout-mismatch",
        bad: update("bad", 1, fileOf({ w: f32([1, 2, 3], [3, 1]) })),
        tensor: "w",
      },
      { what: "with another type", code: "aggregate/layout-mismatch", bad: update("bad", 1, fileOf({ w: f64([1, 2, 3]) })), tensor: "w" },
      {
        what: "with a tensor that the model lacks",
        code: "aggregate/unknown-tensor",
        bad: update("bad", 1, fileOf({ v: f32([1]) })),
        tensor: "v",
      },
      { what: "without a tensor", code: "aggregate/update-empty", bad: update("bad", 1, fileOf({})) },
      { what: "as DIFF where FULL is aggregated", code: "aggregate/params-type-mixed", bad: update("bad", 1, model, "DIFF") },
      { what: "with a weight of zero", code: "aggregate/weight-invalid", bad: update("bad", 0, model) },
      { what: "with a negative weight", code: "aggregate/weight-invalid", bad: update("bad", -1, model) },
      { what: "with a weight that is NaN", code: "aggregate/weight-invalid", bad: update("bad", Number.NaN, model) },
      {
        what: "without a weight",
        code: "aggregate/weight-invalid",
        bad: { contributor: "bad", source: model, paramsType: "FULL" } as unknown as Update,
      },
      { what: "that is cut off", code: "aggregate/safetensors-truncated", bad: update("bad", 1, model.subarray(0, model.byteLength - 1)) },
      { what: "whose file is not there", code: "file/not-found", bad: update("bad", 1, "/no/such/file.safetensors") },
      {
        what: "that is no safetensors file",
        code: "aggregate/safetensors-header",
        bad: update("bad", 1, new TextEncoder().encode("PK\u0003\u0004 something else")),
      },
    ];

    it.each(refused)("$what, by name, and leaves no trace", async ({ code, bad, tensor }) => {
      const good = [update("a", 2, model), update("b", 1, fileOf({ w: f32([4, 5, 6]), flag: bool([0]) }))];
      const { sha256 } = await aggregate(model, good);
      const session = await openFor(model);
      const [first, second] = await Promise.allSettled([session.add(bad), ...good.map((each) => session.add(each))]);
      const reason: unknown = first.status === "rejected" ? first.reason : undefined;
      expect(reason).toBeInstanceOf(FlareError);
      expect(reason).toMatchObject({ code, ...(tensor === undefined ? {} : { facts: { contributor: "bad", tensor } }) });
      expect(second?.status).toBe("fulfilled");
      const report = await session.finish({ outPath: outPath() });
      expect(report.sha256).toBe(sha256);
      expect(report.contributors.map(({ contributor }) => contributor)).toEqual(["a", "b"]);
    });

    it("and may be corrected and sent again", async () => {
      const session = await openFor(model);
      await expect(session.add(update("a", 0, model))).rejects.toMatchObject({ code: "aggregate/weight-invalid" });
      await expect(session.add(update("a", 1, fileOf({ v: f32([1]) })))).rejects.toMatchObject({ code: "aggregate/unknown-tensor" });
      await session.add(update("a", 1, model));
      expect((await session.finish({ outPath: outPath() })).contributors).toHaveLength(1);
    });

    it("the second time, also when both come at once", async () => {
      const session = await openFor(model);
      const both = await Promise.allSettled([session.add(update("a", 1, model)), session.add(update("a", 1, model))]);
      expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
      await expect(session.add(update("a", 1, model))).rejects.toMatchObject({
        code: "aggregate/contributor-twice",
        facts: { contributor: "a" },
      });
      await session.discard();
    });

    it("when its signal is aborted, and may come again", async () => {
      const session = await openFor(model);
      await expect(session.add(update("a", 1, model), AbortSignal.abort())).rejects.toMatchObject({ code: "internal/aborted" });
      await session.add(update("a", 1, model));
      await session.discard();
    });
  });

  describe(`${name}: a session`, () => {
    const model = fileOf({ w: f32([1, 2, 3]) });

    it("without updates, or with differences and no base, is not finished and goes on", async () => {
      const session = await openFor(model, "DIFF");
      await expect(session.finish({ outPath: outPath() })).rejects.toMatchObject({ code: "aggregate/no-contributions" });
      await session.add(update("a", 1, model, "DIFF"));
      await expect(session.finish({ outPath: outPath() })).rejects.toMatchObject({ code: "aggregate/base-missing" });
      await session.finish({ outPath: outPath(), base: await saved("base.safetensors", model) });
      expect(numbersOf(await readOut(), "w")).toEqual([2, 4, 6]);
    });

    it("refuses a base that is not the model", async () => {
      const session = await openFor(model, "DIFF");
      await session.add(update("a", 1, model, "DIFF"));
      const base = await saved("base.safetensors", fileOf({}));
      await expect(session.finish({ outPath: outPath(), base })).rejects.toMatchObject({ code: "aggregate/layout-mismatch" });
      await session.discard();
    });

    it("says so when the new value is beyond the type, instead of writing infinity or wrapping around", async () => {
      const base = await saved("base.safetensors", fileOf({ h: f16([0x7bff]), n: i64([2n ** 63n - 1n]) }));
      for (const [tensor, added] of [
        ["h", f16([0x7bff])],
        ["n", i64([1n])],
      ] as const) {
        const session = await engine().open({ model: base, strategy: fedAvg(), paramsType: "DIFF" });
        await session.add(update("a", 1, fileOf({ [tensor]: added }), "DIFF"));
        await expect(session.finish({ outPath: outPath(), base })).rejects.toMatchObject({
          code: "aggregate/out-of-range",
          facts: { tensor },
        });
        await session.discard();
      }
      expect(await readdir(folder)).toEqual(["base.safetensors"]);
    });

    it("whose finish is aborted leaves no file and can be finished again", async () => {
      const session = await openFor(model);
      await session.add(update("a", 1, model));
      await expect(session.finish({ outPath: outPath(), signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "internal/aborted" });
      expect(await readdir(folder)).toEqual([]);
      await session.finish({ outPath: outPath() });
      expect(await readdir(folder)).toEqual(["out.safetensors"]);
    });

    it("counts updates that are still being added when it is finished", async () => {
      const session = await openFor(model);
      const adding = session.add(update("a", 1, model));
      const report = await session.finish({ outPath: outPath() });
      await adding;
      expect(report.contributors).toHaveLength(1);
    });

    it("takes nothing more once it is finished or discarded", async () => {
      const finished = await openFor(model);
      await finished.add(update("a", 1, model));
      await finished.finish({ outPath: outPath() });
      await finished.discard();
      const discarded = await openFor(model);
      const [adding] = await Promise.allSettled([discarded.add(update("a", 1, model)), discarded.discard()]);
      await discarded.discard();
      expect(adding).toMatchObject({ status: "rejected", reason: { code: "internal/aborted" } });
      for (const session of [finished, discarded]) {
        await expect(session.add(update("b", 1, model))).rejects.toMatchObject({ code: "aggregate/session-closed" });
        await expect(session.finish({ outPath: outPath() })).rejects.toMatchObject({ code: "aggregate/session-closed" });
      }
    });

    it("reports who contributed with which weight and norm, and what was written", async () => {
      const bytes = fileOf({ w: f32([2, 3, 6]) });
      const progress: FinishProgress[] = [];
      const report = await aggregate(model, [update("b", 2, bytes), update("a", 1, model)], {
        metadata: { round: "3" },
        onProgress: (each) => progress.push(each),
      });
      expect(progress.at(-1)).toEqual({ doneBytes: 12, totalBytes: 12 });
      const out = await readFile(outPath());
      expect(report).toMatchObject({
        engine: engine().name,
        strategy: "fed-avg",
        paramsType: "FULL",
        contributors: [
          { contributor: "a", weight: 1, tensors: 1, bytes: model.byteLength },
          { contributor: "b", weight: 2, norm: 7, tensors: 1, bytes: bytes.byteLength },
        ],
        bytesIn: model.byteLength + bytes.byteLength,
        bytesOut: out.byteLength,
      });
      expect(report.contributors[0]?.norm).toBeCloseTo(Math.sqrt(14), 6);
      expect(report.seconds).toBeGreaterThanOrEqual(0);
      expect(parseSafetensorsHeader(out).metadata).toEqual({ round: "3" });
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    });
  });

  describe(`${name}: a model`, () => {
    it("without tensors can be opened, though nothing can be added", async () => {
      const session = await openFor(encodeSafetensors([]));
      await expect(session.add(update("a", 1, fileOf({ w: f32([1]) })))).rejects.toMatchObject({ code: "aggregate/unknown-tensor" });
      await session.discard();
    });

    it("whose file lies is refused", async () => {
      const lying = await saved("model.safetensors", fileOf({ w: f32([1, 2]) }).subarray(0, -1));
      await expect(engine().open({ model: lying, strategy: fedAvg(), paramsType: "FULL" })).rejects.toMatchObject({
        code: "aggregate/safetensors-truncated",
      });
    });
  });
}
