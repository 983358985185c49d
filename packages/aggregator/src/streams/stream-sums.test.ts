import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregationSession, FinishInit, ParamsType } from "../aggregation-engine.js";
import { compressUpdate } from "../compression/compress-update.js";
import { announcedScale } from "../exact/exact-scale.js";
import { decodeBf16, decodeF16, encodeBf16, encodeF16 } from "../half-floats.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { fedOpt } from "../strategies/fed-opt.js";
import type { Strategy } from "../strategies/strategy.js";
import { type Dtype, dtypeBytes, isFloatDtype, type TensorData } from "../tensor.js";
import { type SampleTensor, sampleUpdate } from "../wasm/sample-federation.test-support.js";
import { cut, outcomeOf, send } from "./send-streams.test-support.js";
import { StreamSums } from "./stream-sums.js";
import type { StreamUpdate } from "./stream-update.js";

const nowMs = (): number => performance.now();
const js = new ExactJsEngine({ nowMs });
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-streams-"));
});
afterAll(() => rm(folder, { recursive: true }));

const outPath = (): string => join(folder, "out.safetensors");

interface Sent {
  readonly weight: number;
  readonly bytes: Uint8Array;
}

const dtypes = Object.keys(dtypeBytes) as Dtype[];
const shape = fc.oneof(
  fc.constant([]),
  fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }),
  fc.integer({ min: 0, max: 300 }).map((length) => [length]),
  fc.integer({ min: 16_380, max: 40_001 }).map((length) => [length]),
);
const federation = fc.record({
  tensors: fc.array(fc.record<SampleTensor>({ dtype: fc.constantFrom(...dtypes), shape }), { minLength: 1, maxLength: 6 }),
  weights: fc.array(fc.oneof(fc.integer({ min: 1, max: 2 ** 20 }), fc.double({ min: 2 ** -20, max: 2 ** 20, noNaN: true })), {
    minLength: 1,
    maxLength: 8,
  }),
  seed: fc.integer(),
  absence: fc.constantFrom(0, 0.3),
  paramsType: fc.constantFrom<ParamsType[]>("FULL", "DIFF"),
  lengths: fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 20 })), { minLength: 1, maxLength: 5 }),
  /** Where the update of each contributor breaks off at first, as a share of its bytes; 1 where it does not. */
  breaks: fc.array(fc.constantFrom(1, 1, 0.001, 0.3, 0.7, 0.999), { minLength: 8, maxLength: 8 }),
  isSimdAllowed: fc.boolean(),
  turns: fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 40 }),
});

describe("exact sums of streams", () => {
  it("are those of plain JavaScript bit by bit: any types, shapes, chunks, interleaving, and updates that were broken and taken back", async () => {
    let finished = 0;
    await fc.assert(
      fc.asyncProperty(
        federation,
        async ({ tensors: given, weights, seed, absence, paramsType, lengths, breaks, isSimdAllowed, turns }) => {
          // Differences of short types soon bring the model beyond them.
          const wide = given.filter(({ dtype }) => paramsType === "FULL" || dtype.endsWith("64") || dtype === "F32");
          const tensors = wide.length > 0 ? wide : given;
          const model = sampleUpdate(tensors, seed);
          const base = join(folder, "base.safetensors");
          await writeFile(base, model);
          const layout = parseSafetensorsHeader(model);
          const sent = weights.map((weight, i): Sent => ({ weight, bytes: sampleUpdate(tensors, seed + i + 1, absence) }));
          const maxAbs = Object.fromEntries(
            layout.tensors
              .filter(({ dtype }) => isFloatDtype(dtype))
              .map(({ name, dtype }) => [name, dtype === "BF16" ? 2 ** 127 : 2 ** 40]),
          );
          const scale = announcedScale(maxAbs, 2 ** 20);
          const wanted = await outcomeOf(async () => {
            const session = await js.open({ model: layout, strategy: fedAvg(), paramsType, scale });
            try {
              for (const [i, { weight, bytes }] of sent.entries())
                await session.add({ contributor: `site-${i}`, weight, source: bytes, paramsType });
              return (await session.finish({ outPath: outPath(), base, isDurable: false })).sha256;
            } finally {
              await session.discard();
            }
          });
          if (!String(wanted).includes("/")) finished += 1;
          const sums = await StreamSums.create({ nowMs }, { model: layout, sums: { mode: "exact", scale }, paramsType, isSimdAllowed });
          const got = await outcomeOf(async () => {
            await sendInTurns(sums, sent, { lengths, breaks, turns });
            return (await sums.finish({ outPath: outPath(), base, isDurable: false })).sha256;
          });
          expect(got).toBe(wanted);
        },
      ),
      { numRuns: 15, endOnFailure: true },
    );
    expect(finished).toBeGreaterThan(7);
  });

  it("take updates that are compressed as float16 and bfloat16, and refuse forms whose scales come after the values", async () => {
    const model = sampleUpdate(
      [
        { dtype: "F32", shape: [40_000] },
        { dtype: "I32", shape: [3] },
      ],
      1,
    );
    const layout = parseSafetensorsHeader(model);
    const scale = announcedScale({ t0: 2 ** 40 }, 8);
    const source = join(folder, "plain.safetensors");
    await writeFile(
      source,
      encodeSafetensors([["t0", { dtype: "F32", shape: [40_000], data: Float32Array.from({ length: 40_000 }, (_, i) => i / 7) }]]),
    );
    const sums = await StreamSums.create({ nowMs }, { model: layout, sums: { mode: "exact", scale }, paramsType: "FULL" });
    const session = await js.open({ model: layout, strategy: fedAvg(), paramsType: "FULL", scale });
    for (const [i, form] of (["float16", "bfloat16"] as const).entries()) {
      await compressUpdate({ source, outPath: outPath(), form, isDurable: false });
      const bytes = new Uint8Array(await readFile(outPath()));
      const update = sums.begin({ contributor: form, weight: i + 2 });
      send(update, bytes);
      update.end();
      await session.add({ contributor: form, weight: i + 2, source: bytes, paramsType: "FULL" });
    }
    for (const form of ["int8", "top-k"] as const) {
      await compressUpdate({ source, outPath: outPath(), form, isDurable: false });
      const bytes = new Uint8Array(await readFile(outPath()));
      expect(await outcomeOf(() => send(sums.begin({ contributor: form, weight: 1 }), bytes))).toBe("aggregate/stream-compressed");
    }
    const wanted = await session.finish({ outPath: outPath(), isDurable: false });
    const {
      engine: _engine,
      device: _device,
      seconds: _seconds,
      peakMemoryBytes: _peak,
      contributors,
      ...report
    } = await sums.finish({ outPath: outPath(), isDurable: false });
    expect(wanted).toMatchObject(report);
    for (const [i, { norm, ...each }] of contributors.entries()) {
      expect(wanted.contributors[i]).toMatchObject(each);
      expect(norm).toBeCloseTo(wanted.contributors[i]?.norm ?? 0, 5);
    }
  });

  const tensors: SampleTensor[] = [
    { dtype: "F32", shape: [20_000] },
    { dtype: "F64", shape: [33] },
    { dtype: "I64", shape: [5] },
  ];
  const model = sampleUpdate(tensors, 5);
  const layout = parseSafetensorsHeader(model);
  const scale = announcedScale({ t0: 2 ** 20, t1: 2 ** 20 }, 16);
  const sent = [3, 5, 9].map((weight, i): Sent => ({ weight, bytes: sampleUpdate(tensors, 6 + i) }));
  const sendAll = (sums: StreamSums): void => {
    for (const [i, { weight, bytes }] of sent.entries()) {
      const update = sums.begin({ contributor: `site-${i}`, weight });
      send(update, bytes);
      update.end();
    }
  };
  const openBoth = async (
    strategy: Strategy,
  ): Promise<{ readonly session: AggregationSession; readonly sums: StreamSums; readonly finish: FinishInit }> => {
    const base = join(folder, "base.safetensors");
    await writeFile(base, model);
    const session = await js.open({ model: layout, strategy, paramsType: "DIFF", scale });
    for (const [i, { weight, bytes }] of sent.entries())
      await session.add({ contributor: `site-${i}`, weight, source: bytes, paramsType: "DIFF" });
    const sums = await StreamSums.create({ nowMs }, { model: layout, sums: { mode: "exact", scale }, paramsType: "DIFF", strategy });
    return { session, sums, finish: { outPath: outPath(), base, isDurable: false } };
  };

  it("take a server step as sessions do", async () => {
    const { session, sums, finish } = await openBoth(fedOpt({ optimizer: "adam", learningRate: 0.1 }));
    sendAll(sums);
    const state = { to: join(folder, "state") };
    expect((await sums.finish({ ...finish, state })).sha256).toBe((await session.finish({ ...finish, state })).sha256);
  });

  it("begin anew in the same memory, whatever was in it", async () => {
    const { session, sums, finish } = await openBoth(fedAvg());
    sendAll(sums);
    const { sha256 } = await session.finish(finish);
    expect((await sums.finish(finish)).sha256).toBe(sha256);
    const { kernelBytes } = sums;
    sums.restart();
    sums.begin({ contributor: "site-1", weight: 2 }).write(sent[1]?.bytes ?? new Uint8Array());
    sums.restart();
    sendAll(sums);
    expect((await sums.finish(finish)).sha256).toBe(sha256);
    expect(sums.kernelBytes).toBe(kernelBytes);
  });

  it("go into a session elsewhere with the same bytes as if it had summed the updates itself", async () => {
    const { session, sums, finish } = await openBoth(fedAvg());
    sendAll(sums);
    const relayed = join(folder, "relayed.safetensors");
    await sums.finishSums({ outPath: relayed, isDurable: false });
    const central = await js.open({ model: layout, strategy: fedAvg(), paramsType: "DIFF", scale });
    await central.addSums(relayed);
    expect((await central.finish(finish)).sha256).toBe((await session.finish(finish)).sha256);
  });
});

describe("sums of streams in float32", () => {
  it("are within N × 2^-23 of exact means of values up to 1, and their type's rounding, whatever the size of the weights", async () => {
    const tensors: SampleTensor[] = (["F32", "F64", "BF16", "F16"] as const).map((dtype) => ({ dtype, shape: [20_001] }));
    const values = (i: number, t: number): Float64Array =>
      Float64Array.from({ length: 20_001 }, (_, j) => (((j * 7 + i * 13 + t) % 64) - 31) / 32);
    const file = (i: number): Uint8Array =>
      encodeSafetensors(
        tensors.map(({ dtype, shape: sizes }, t) => {
          const data = values(i, t);
          const bits = new Uint16Array(data.length);
          if (dtype === "F16") encodeF16(data, bits);
          if (dtype === "BF16") encodeBf16(data, bits);
          return [`t${t}`, { dtype, shape: sizes, data: dtype === "F64" ? data : dtype === "F32" ? Float32Array.from(data) : bits }];
        }),
      );
    const model = parseSafetensorsHeader(file(0));
    for (const unit of [1, 2 ** 90, 2 ** -90]) {
      const sums = await StreamSums.create({ nowMs }, { model, sums: { mode: "fast" }, paramsType: "FULL" });
      const weights = [3, 1, 7].map((weight) => weight * unit);
      for (const [i, weight] of weights.entries()) {
        const update = sums.begin({ contributor: `site-${i}`, weight });
        send(update, file(i), [100_003]);
        update.end();
      }
      await sums.finish({ outPath: outPath(), isDurable: false });
      const made = decodeSafetensors(new Uint8Array(await readFile(outPath())));
      for (const [t, { dtype }] of tensors.entries()) {
        const sent = weights.map((_, i) => values(i, t));
        const data = floatsOf(dtype, made.get(`t${t}`)?.data ?? new Uint16Array());
        const wanted = data.map((_, j) => sent.reduce((sum, each, i) => sum + ((weights[i] ?? 0) / unit / 11) * (each[j] ?? 0), 0));
        // Three roundings of sums of magnitudes up to 1, and that to the type.
        const bound = dtype === "F64" ? 2 ** -50 : 3 * 2 ** -23 + (dtype === "BF16" ? 2 ** -9 : dtype === "F16" ? 2 ** -12 : 0);
        expect(data.findIndex((value, j) => !(Math.abs(value - (wanted[j] ?? 0)) <= bound))).toBe(-1);
      }
    }
  });
});

function floatsOf(dtype: Dtype, data: TensorData): number[] {
  if (!(data instanceof Uint16Array)) return Array.from(data, Number);
  const decoded = new Float32Array(data.length);
  (dtype === "F16" ? decodeF16 : decodeBf16)(data, decoded);
  return [...decoded];
}

interface Turns {
  readonly lengths: readonly number[];
  readonly breaks: readonly number[];
  readonly turns: readonly number[];
}

/** Sends chunk after chunk of updates that take turns; those that break off are taken back by the bytes they brought and sent again. */
async function sendInTurns(sums: StreamSums, sent: readonly Sent[], { lengths, breaks, turns }: Turns): Promise<void> {
  const active = sent.map(({ weight, bytes }, i) => {
    const begin = (): StreamUpdate => sums.begin({ contributor: `site-${i}`, weight });
    const end = Math.floor((breaks[i] ?? 1) * bytes.byteLength);
    return { begin, bytes, update: begin(), chunks: cut(bytes, lengths), end, isAgain: false };
  });
  let left: readonly (typeof active)[number][] = active;
  for (let turn = 0; left.length > 0; turn++) {
    const each = left[(turns[turn % turns.length] ?? 0) % left.length];
    if (each === undefined) continue;
    const next = each.chunks.next();
    if (next.done === true) {
      each.update.end();
      left = left.filter((other) => other !== each);
    } else if (!each.isAgain && each.end < each.bytes.byteLength && each.update.bytes + next.value.byteLength > each.end) {
      each.update.write(next.value.subarray(0, each.end - each.update.bytes));
      const written = each.bytes.subarray(0, each.end);
      await each.update.takeBack(cut(written, lengths.toReversed()));
      each.update = each.begin();
      each.chunks = cut(each.bytes, lengths);
      each.isAgain = true;
    } else each.update.write(next.value);
  }
}
