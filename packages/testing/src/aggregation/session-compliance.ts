import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AggregationEngine,
  type AggregationInit,
  type AggregationReport,
  type AggregationSession,
  coordinateMedian,
  customStrategy,
  decodeSafetensors,
  encodeSafetensors,
  fedAvg,
  fedBuff,
  fedOpt,
  type ParamsType,
  parseSafetensorsHeader,
  type Strategy,
  scaffoldControl,
  type Tensor,
  trimmedMean,
} from "@flare-ts/aggregator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onceEach } from "./once-each.js";
import { bool, f16, f32, f64, fileOf, i64, numbersOf } from "./sample-models.js";

export interface SessionComplianceInit {
  /** How the tests are headed. */
  readonly name: string;
  /** Gives the engine under test; it is asked for in each test. */
  readonly engine: () => AggregationEngine;
}

/** Holds an engine's sessions to their rules: when values are checked, what can be taken back, which strategies fit. */
export function sessionCompliance({ name, engine }: SessionComplianceInit): void {
  let folder = "";
  let basePath = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-session-"));
    basePath = join(folder, "base.safetensors");
    await writeFile(basePath, sample(0));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const outPath = (): string => join(folder, "out.safetensors");
  const open = (init: Partial<AggregationInit> = {}): Promise<AggregationSession> =>
    engine().open({ model: parseSafetensorsHeader(sample(0)), strategy: fedAvg(), paramsType: "FULL", ...init });
  const add = (session: AggregationSession, seed: number, source = sample(seed), paramsType: ParamsType = "FULL"): Promise<void> =>
    session.add({ contributor: `site-${seed}`, weight: 2 * seed + 0.5, source, paramsType });
  const addAll = async (session: AggregationSession, seeds: readonly number[], paramsType: ParamsType = "FULL"): Promise<void> => {
    for (const seed of seeds) await add(session, seed, sample(seed), paramsType);
  };
  const finish = (session: AggregationSession): Promise<AggregationReport> =>
    session.finish({ outPath: outPath(), base: basePath, isDurable: false });
  const outcomeOf = async (seeds: readonly number[], init: Partial<AggregationInit> = {}): Promise<AggregationReport> => {
    const session = await open(init);
    await addAll(session, seeds, init.paramsType);
    return finish(session);
  };

  describe(`${name}: values checked at the end`, () => {
    const strategies: readonly Strategy[] = [fedAvg(), coordinateMedian(), trimmedMean({ fraction: 0.25 })];

    it.each(strategies)("give what values checked at once give: $name", async (strategy) => {
      const early = await outcomeOf([1, 2, 3, 4], { strategy });
      const late = await outcomeOf([4, 2, 1, 3], { strategy, check: "finish" });
      expect(late.sha256).toBe(early.sha256);
      // Squares are added up in larger or smaller parts where not sums but middles are made.
      const digits = strategy.combine.kind === "mean" ? 17 : 12;
      const rounded = ({ contributors }: AggregationReport): unknown =>
        contributors.map((each) => ({ ...each, norm: each.norm.toPrecision(digits) }));
      expect(rounded(late)).toEqual(rounded(early));
      expect(late.bytesIn).toBe(early.bytesIn);
    });

    it.each(strategies)("that are not fit are told by tensor and contributor, who is then left out: $name", async (strategy) => {
      const bad: readonly { readonly code: string; readonly tensor: string; readonly changed: Uint8Array }[] = [
        { code: "aggregate/not-finite", tensor: "long", changed: sample(9, { long: Number.NaN }) },
        { code: "aggregate/not-finite", tensor: "short", changed: sample(9, { short: Number.NEGATIVE_INFINITY }) },
        { code: "aggregate/not-finite", tensor: "wide", changed: sample(9, { wide: Number.POSITIVE_INFINITY }) },
        { code: "aggregate/out-of-range", tensor: "wide", changed: sample(9, { wide: 1e200 }) },
        { code: "aggregate/value-invalid", tensor: "flags", changed: sample(9, { flags: 2 }) },
      ];
      const without = await outcomeOf([1, 2, 3], { strategy });
      for (const { code, tensor, changed } of bad) {
        const session = await open({ strategy, check: "finish" });
        await addAll(session, [1, 2]);
        await add(session, 9, changed);
        await add(session, 3);
        for (let attempt = 0; attempt < 2; attempt++)
          await expect(finish(session)).rejects.toMatchObject({ code, facts: { contributor: "site-9", tensor } });
        expect(await session.remove("site-9")).toBe(true);
        expect((await finish(session)).sha256).toBe(without.sha256);
      }
    });

    it("are checked with the distances of a strategy that measures them anyway", async () => {
      const strategy = customStrategy({ name: "measures", needs: { distances: true }, combine: { kind: "mean" } });
      const session = await open({ strategy, check: "finish" });
      await expect(add(session, 9, sample(9, { long: Number.NaN }))).rejects.toMatchObject({ code: "aggregate/not-finite" });
      await session.discard();
    });
  });

  describe(`${name}: an update that is removed`, () => {
    it.each<ParamsType>(["FULL", "DIFF"])("leaves the bytes of a %s session that never had it, wherever it came in", async (paramsType) => {
      const wanted = await outcomeOf([1, 3], { paramsType });
      for (const order of [
        [2, 1, 3],
        [1, 2, 3],
        [3, 1, 2],
      ]) {
        const session = await open({ paramsType });
        await addAll(session, order, paramsType);
        expect(await session.remove("site-2")).toBe(true);
        expect(await session.remove("site-2")).toBe(false);
        const report = await finish(session);
        expect(report.sha256).toBe(wanted.sha256);
        expect(report.contributors).toEqual(wanted.contributors);
      }
    });

    it("while it is being added is waited for, and may come again", async () => {
      const session = await open();
      const adding = add(session, 1);
      const [removed] = await Promise.all([session.remove("site-1"), adding]);
      expect(removed).toBe(true);
      await addAll(session, [1, 2]);
      expect((await finish(session)).sha256).toBe((await outcomeOf([1, 2])).sha256);
    });

    it("was not there when nobody knows it or when it was refused", async () => {
      const session = await open();
      expect(await session.remove("nobody")).toBe(false);
      const adding = add(session, 1, sample(1, { long: Number.NaN }));
      const [removed] = await Promise.all([
        session.remove("site-1"),
        expect(adding).rejects.toMatchObject({ code: "aggregate/not-finite" }),
      ]);
      expect(removed).toBe(false);
      await session.discard();
      await expect(session.remove("site-1")).rejects.toMatchObject({ code: "aggregate/session-closed" });
    });

    it("and was the last leaves nothing to finish", async () => {
      const session = await open();
      await add(session, 1);
      await session.remove("site-1");
      await expect(finish(session)).rejects.toMatchObject({ code: "aggregate/no-contributions" });
      await session.discard();
    });
  });

  describe(`${name}: a strategy`, () => {
    it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, "2"])("is not told a staleness of %s", async (staleness) => {
      const session = await open();
      const update = { contributor: "a", weight: 1, source: sample(1), paramsType: "FULL", staleness: staleness as number } as const;
      await expect(session.add(update)).rejects.toMatchObject({ code: "aggregate/weight-invalid", facts: { contributor: "a" } });
      await session.discard();
    });

    it("that takes one kind of updates is not opened for the other", async () => {
      await expect(open({ strategy: fedBuff(), paramsType: "FULL" })).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
      const needsFull = customStrategy({ name: "whole", needs: { paramsType: "FULL" }, combine: { kind: "mean" } });
      await expect(open({ strategy: needsFull, paramsType: "DIFF" })).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
    });

    it("that sums nothing is not opened with a scale", async () => {
      const scale = { gridBits: { long: 20, short: 20, wide: 20 } };
      await expect(open({ strategy: coordinateMedian(), scale })).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
    });

    it.each<[string, () => Strategy, ParamsType]>([
      ["takes a server step", () => fedOpt({ optimizer: "sgd", learningRate: 0.5 }), "FULL"],
      ["looks at norms", () => customStrategy({ name: "norms", needs: { norms: true }, combine: { kind: "mean" } }), "FULL"],
      ["divides by a number of its own", () => scaffoldControl({ totalClients: 10 }), "DIFF"],
      [
        "counts values by more or less than their weight",
        () =>
          customStrategy({
            name: "halves",
            combine: { kind: "mean" },
            weigh: ({ contributors }) => contributors.map(({ weight }) => ({ factor: weight / 2, weight })),
          }),
        "FULL",
      ],
    ])("that %s asks for the base, and goes on when it is there", async (_what, strategy, paramsType) => {
      const session = await open({ strategy: strategy(), paramsType });
      await addAll(session, [1, 2], paramsType);
      await expect(session.finish({ outPath: outPath() })).rejects.toMatchObject({ code: "aggregate/base-missing" });
      expect((await finish(session)).contributors).toHaveLength(2);
    });

    it("that halves each change of whole models halves it", async () => {
      const halves = customStrategy({
        name: "halves",
        combine: { kind: "mean" },
        weigh: ({ contributors }) => contributors.map(({ weight }) => ({ factor: weight / 2, weight })),
      });
      const session = await open({ strategy: halves });
      await add(session, 1);
      await finish(session);
      const [out, base, sent] = [await readFile(outPath()), sample(0), sample(1)].map((bytes) => decodeSafetensors(bytes));
      const halfway = numbersOf(base as Tensors, "wide").map((value, i) => (value + (numbersOf(sent as Tensors, "wide")[i] ?? 0)) / 2);
      for (const [i, got] of numbersOf(out as Tensors, "wide").entries()) expect(got).toBeCloseTo(halfway[i] ?? Number.NaN, 6);
    });

    it("that compares whole updates names the one that lacks a tensor", async () => {
      const strategy = customStrategy({
        name: "compares",
        needs: { distances: true },
        weigh: ({ contributors }) => contributors.map(({ weight }) => ({ factor: weight, weight })),
      });
      const session = await open({ strategy });
      await addAll(session, [1, 2]);
      await add(session, 3, fileOf({ long: f32(longValues(3)) }));
      await expect(finish(session)).rejects.toMatchObject({ code: "aggregate/update-incomplete", facts: { contributor: "site-3" } });
      await session.remove("site-3");
      expect((await finish(session)).contributors).toHaveLength(2);
    });

    it.each<[string, (contributors: number) => readonly { readonly factor: number; readonly weight: number }[]]>([
      ["leaves everybody out", (n) => Array.from({ length: n }, () => ({ factor: 0, weight: 0 }))],
      ["gives a share too few", (n) => Array.from({ length: n - 1 }, () => ({ factor: 1, weight: 1 }))],
      ["gives a share that is no number", (n) => Array.from({ length: n }, () => ({ factor: Number.NaN, weight: 1 }))],
      ["gives a negative weight", (n) => Array.from({ length: n }, () => ({ factor: 1, weight: -1 }))],
    ])("that %s is refused, and nothing is written", async (_what, shares) => {
      const strategy = customStrategy({
        name: "odd",
        combine: { kind: "mean" },
        weigh: ({ contributors }) => shares(contributors.length),
      });
      const session = await open({ strategy });
      await addAll(session, [1, 2]);
      await expect(finish(session)).rejects.toMatchObject({ code: "aggregate/strategy-unfit" });
      await expect(readFile(outPath())).rejects.toMatchObject({ code: "ENOENT" });
      await session.discard();
    });
  });
}

type Tensors = ReadonlyMap<string, Tensor>;

/** More than one block of the sums. */
const longElements = 20_011;

const longValuesOf = onceEach<readonly number[]>();

function longValues(seed: number): readonly number[] {
  return longValuesOf(String(seed), () =>
    Array.from({ length: longElements }, (_, i) => Math.sin(1 + seed + i * 0.37) * 10 ** ((i % 5) - 3)),
  );
}

/** A model with every kind of tensor; `changed` puts a value at the last place of some. */
function sample(seed: number, changed: Readonly<Record<string, number>> = {}): Uint8Array {
  const tensors: Readonly<Record<string, Tensor>> = {
    long: f32(longValues(seed)),
    short: f16([0x3c00 + seed, 0x3800 + 7 * seed, 0x4000 + seed]),
    wide: f64([Math.cos(seed), Math.sin(seed) * 1e9, -1 / (1 + seed)]),
    steps: i64([BigInt(seed) * 1000n, 2n ** 40n + BigInt(seed)]),
    flags: bool([seed % 2, seed === 0 ? 0 : 1]),
  };
  for (const [tensor, value] of Object.entries(changed)) {
    const data = tensors[tensor]?.data ?? [];
    if (data instanceof BigInt64Array) throw new TypeError("no 64-bit integer is changed");
    (data as Float64Array)[data.length - 1] = tensor === "short" ? (value < 0 ? 0xfc00 : 0x7c00) : value;
  }
  return encodeSafetensors(Object.entries(tensors));
}
