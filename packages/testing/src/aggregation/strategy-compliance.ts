import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AggregationEngine,
  coordinateMedian,
  customStrategy,
  decodeSafetensors,
  dpFedAvg,
  fedAvg,
  fedAvgM,
  fedBuff,
  fedOpt,
  fedProx,
  geometricMedian,
  krum,
  multiKrum,
  normClip,
  type ParamsType,
  parseSafetensorsHeader,
  type Strategy,
  scaffoldControl,
  scaffoldModel,
  scaffoldRound,
  type Tensor,
  trimmedMean,
} from "@flare-ts/aggregator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onceEach } from "./once-each.js";
import { type ReferenceResult, referenceAggregate, type Values } from "./reference-aggregation.js";
import { initialModel, modelFile, type SentUpdate, updatesOf } from "./sample-updates.js";

export interface StrategyComplianceInit {
  /** How the tests are headed. */
  readonly name: string;
  /** Gives the engine under test; it is asked for in each test. */
  readonly engine: () => AggregationEngine;
  /** What floating tensors are summed in. @default "float64" */
  readonly sums?: "float32" | "float64";
  /** Whether medians and trimmed means have the bits of the rule. @default true */
  readonly isMiddleExact?: boolean;
}

/** Bytes that look random and are the same each time. */
function seededBytes(): (count: number) => Uint8Array {
  let state = 12_345;
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return state >>> 24;
    });
}

const sentUpdates = onceEach<readonly SentUpdate[]>();
const firstRounds = onceEach<ReferenceResult>();

/** Every strategy, made anew for each run because some have a source of noise. */
const everyStrategy: Readonly<Record<string, { readonly make: () => Strategy; readonly paramsTypes: readonly ParamsType[] }>> = {
  "fed-avg": { make: fedAvg, paramsTypes: ["FULL", "DIFF"] },
  "fed-prox": { make: () => fedProx({ mu: 0.1 }), paramsTypes: ["FULL"] },
  "fed-adam": { make: () => fedOpt({ optimizer: "adam", learningRate: 0.1 }), paramsTypes: ["FULL", "DIFF"] },
  "fed-yogi": { make: () => fedOpt({ optimizer: "yogi", learningRate: 0.1 }), paramsTypes: ["DIFF"] },
  "fed-adagrad": { make: () => fedOpt({ optimizer: "adagrad", learningRate: 0.1 }), paramsTypes: ["FULL"] },
  "fed-avg-m": { make: () => fedAvgM({ learningRate: 0.5, momentum: 0.9 }), paramsTypes: ["FULL", "DIFF"] },
  "fed-buff": { make: () => fedBuff({ learningRate: 0.7 }), paramsTypes: ["DIFF"] },
  scaffold: { make: () => scaffoldModel({ globalLearningRate: 0.9 }), paramsTypes: ["FULL", "DIFF"] },
  "scaffold-control": { make: () => scaffoldControl({ totalClients: 30 }), paramsTypes: ["FULL", "DIFF"] },
  "scaffold-round": {
    make: () => scaffoldRound({ totalClients: 30, globalLearningRate: 0.9, weighting: "samples" }),
    paramsTypes: ["FULL", "DIFF"],
  },
  median: { make: coordinateMedian, paramsTypes: ["FULL", "DIFF"] },
  "trimmed-mean": { make: () => trimmedMean({ fraction: 0.2 }), paramsTypes: ["FULL", "DIFF"] },
  krum: { make: () => krum({ byzantine: 2 }), paramsTypes: ["FULL", "DIFF"] },
  "multi-krum": { make: () => multiKrum({ byzantine: 2 }), paramsTypes: ["FULL"] },
  "geometric-median": { make: () => geometricMedian(), paramsTypes: ["FULL", "DIFF"] },
  "norm-clip": { make: () => normClip({ clipNorm: 3 }), paramsTypes: ["FULL", "DIFF"] },
  "dp-fed-avg": {
    make: () => dpFedAvg({ clipNorm: 3, noiseMultiplier: 0.5, expectedContributors: 8, randomBytes: seededBytes() }),
    paramsTypes: ["FULL", "DIFF"],
  },
  custom: {
    make: () =>
      customStrategy({
        name: "midrange",
        combine: {
          kind: "custom",
          combine: (values, _shares, into) => {
            for (let i = 0; i < into.length; i++) {
              const column = values.map((each) => each[i] as number);
              into[i] = (Math.min(...column) + Math.max(...column)) / 2;
            }
          },
        },
      }),
    paramsTypes: ["FULL", "DIFF"],
  },
};

/** Holds an engine to what strategies mean: each against a slow reference, over two rounds, in any order. */
export function strategyCompliance({ name, engine, sums = "float64", isMiddleExact = true }: StrategyComplianceInit): void {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-strategies-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  describe.each(Object.entries(everyStrategy))(`${name}: the strategy %s`, (strategyName, { make, paramsTypes }) => {
    it.each(paramsTypes)("makes of %s updates what its definition says, round after round, in any order", async (paramsType) => {
      let base = initialModel();
      let model = modelFile(base);
      let state: Readonly<Record<string, Values>> = {};
      const [running, expected] = [make(), make()];
      for (const round of [1, 2]) {
        const areWhole = running.needs.distances === true;
        const updates = sentUpdates(`${round} ${paramsType} ${areWhole}`, () => updatesOf({ round, paramsType, areWhole }));
        const basePath = join(folder, `base-${round}.safetensors`);
        await writeFile(basePath, model);
        const run = async (order: readonly SentUpdate[], strategy: Strategy, to: string): Promise<string> => {
          const session = await engine().open({ model: parseSafetensorsHeader(model), strategy, paramsType });
          for (const { contributor, weight, staleness, file } of order)
            await session.add({ contributor, weight, staleness, paramsType, source: file });
          const from = round === 1 ? undefined : join(folder, "state-1");
          const report = await session.finish({
            outPath: join(folder, "out.safetensors"),
            base: basePath,
            isDurable: false,
            state: { from, to: join(folder, to) },
          });
          expect(report).toMatchObject({ strategy: strategy.name, settings: strategy.settings });
          return report.sha256;
        };
        // Noise is drawn in order, so what has any is not run twice.
        const first = strategyName === "dp-fed-avg" ? "" : await run(updates.toReversed(), running, "state-other");
        const second = await run(updates, running, `state-${round}`);
        expect(first === "" ? second : first).toBe(second);
        const reference = (): ReferenceResult => referenceAggregate(expected, { updates, base, paramsType, state, stepNumber: round });
        // The first round begins with the same for every engine, the second with what the engine made. Noise goes on from round to round.
        const isShared = round === 1 && strategyName !== "dp-fed-avg";
        const wanted = isShared ? firstRounds(`${strategyName} ${paramsType}`, reference) : reference();
        model = await readFile(join(folder, "out.safetensors"));
        const out = decodeSafetensors(model);
        const isRounded = sums === "float32" || (!isMiddleExact && strategyName === "trimmed-mean");
        expect(worstOf(wanted.model, out)).toBeLessThanOrEqual(isRounded ? 4e-6 : 3e-7);
        base = Object.fromEntries([...out].map(([tensor, { data }]) => [tensor, Array.from(data, Number)]));
        state = Object.fromEntries(
          await Promise.all(
            (running.step?.stateNames ?? []).map(async (each) => {
              const file = decodeSafetensors(await readFile(join(folder, `state-${round}`, `${each}.safetensors`)));
              return [each, Object.fromEntries([...file].map(([tensor, { data }]) => [tensor, Array.from(data, Number)]))] as const;
            }),
          ),
        );
      }
    });
  });
}

/** Largest deviation, relative to values above 1. */
function worstOf(wanted: Values, got: ReadonlyMap<string, Tensor>): number {
  let worst = 0;
  for (const [tensor, values] of Object.entries(wanted)) {
    const data = got.get(tensor)?.data ?? [];
    for (const [i, value] of values.entries()) {
      const deviation = Math.abs(Number(data[i]) - value) / Math.max(1, Math.abs(value));
      // A comparison that NaN fails as well.
      if (!(deviation <= worst)) worst = deviation;
    }
  }
  return worst;
}
