import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announcedScale } from "../exact/exact-scale.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { krum } from "../strategies/krum.js";
import { coordinateMedian } from "../strategies/median.js";
import { cut, outcomeOf, send } from "./send-streams.test-support.js";
import { StreamSums } from "./stream-sums.js";

const nowMs = (): number => performance.now();
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-streams-"));
});
afterAll(() => rm(folder, { recursive: true }));

const count = 50_000;
const isOdd = (i: number): number => i % 2;

/** An update of two floating tensors, one of booleans between them. */
function file(seed: number, change: { readonly at?: number; readonly value?: number; readonly flag?: number } = {}): Uint8Array {
  const floats = Float32Array.from({ length: count }, (_, i) => ((i * 31 + seed) % 101) / 101 - 0.5);
  if (change.at !== undefined) floats[change.at] = change.value ?? 0;
  return encodeSafetensors([
    ["a", { dtype: "F32", shape: [count], data: floats }],
    ["b", { dtype: "BOOL", shape: [3], data: Uint8Array.of(isOdd(seed), 1, change.flag ?? 0) }],
    ["c", { dtype: "F64", shape: [5], data: Float64Array.of(seed, 1, 2, 3, 4) }],
  ]);
}

const model = parseSafetensorsHeader(file(0));
const scale = announcedScale({ a: 0.5, c: 9 }, 16);
const create = (mode: "exact" | "fast" = "exact"): Promise<StreamSums> =>
  StreamSums.create({ nowMs }, { model, sums: mode === "exact" ? { mode, scale } : { mode }, paramsType: "FULL" });

function sendWhole(sums: StreamSums, contributor: string, bytes: Uint8Array): void {
  const update = sums.begin({ contributor, weight: 3 });
  send(update, bytes);
  update.end();
}

const finish = async (sums: StreamSums): Promise<string> =>
  (await sums.finish({ outPath: join(folder, "out.safetensors"), isDurable: false })).sha256;

/** The model of two updates, to be compared with. */
async function ofTwo(): Promise<string> {
  const sums = await create();
  sendWhole(sums, "a", file(1));
  sendWhole(sums, "b", file(2));
  return finish(sums);
}

describe("a stream that is refused", () => {
  it("says what is wrong, and is out of the sums once it is taken back", async () => {
    const wanted = await ofTwo();
    const sums = await create();
    sendWhole(sums, "b", file(2));
    const hostile: readonly (readonly [string, Uint8Array])[] = [
      ["aggregate/not-finite", file(1, { at: 40_000, value: Number.NaN })],
      ["aggregate/not-finite", file(1, { at: count - 1, value: Number.NEGATIVE_INFINITY })],
      ["aggregate/out-of-range", file(1, { at: 20_000, value: 1e6 })],
      ["aggregate/value-invalid", file(1, { flag: 2 })],
      ["aggregate/safetensors-offsets", new Uint8Array([...file(1), 0])],
    ];
    for (const [code, bytes] of hostile) {
      const update = sums.begin({ contributor: "a", weight: 3 });
      expect(await outcomeOf(() => send(update, bytes))).toBe(code);
      expect(await outcomeOf(() => update.write(bytes))).toBe("aggregate/session-closed");
      expect(await outcomeOf(() => finish(sums))).toBe("aggregate/update-unfinished");
      await update.takeBack(cut(bytes, [7_777]));
    }
    sendWhole(sums, "a", file(1));
    expect(await finish(sums)).toBe(wanted);
  });

  it("before any of its values were added is gone by itself, in every mode", async () => {
    for (const mode of ["exact", "fast"] as const) {
      const sums = await create(mode);
      const other = encodeSafetensors([["a", { dtype: "F32", shape: [2], data: new Float32Array(2) }]]);
      const refused: readonly (readonly [string, Uint8Array])[] = [
        ["aggregate/layout-mismatch", other],
        ["aggregate/unknown-tensor", encodeSafetensors([["z", { dtype: "F32", shape: [], data: new Float32Array(1) }]])],
        ["aggregate/update-empty", encodeSafetensors([])],
        ["aggregate/not-finite", file(1, { at: 5, value: Number.NaN })],
        ["aggregate/safetensors-limit", new Uint8Array(9).fill(0xff)],
        ["aggregate/safetensors-header", new Uint8Array(20).fill(0x20, 8).fill(3, 0, 1)],
      ];
      for (const [code, bytes] of refused) {
        const update = sums.begin({ contributor: "a", weight: 3 });
        expect(await outcomeOf(() => send(update, bytes, [1, 20_000]))).toBe(code);
      }
      sendWhole(sums, "a", file(1));
      await finish(sums);
    }
  });

  it("by its end because bytes are missing is taken back by those that came", async () => {
    const wanted = await ofTwo();
    const sums = await create();
    sendWhole(sums, "b", file(2));
    for (const missing of [1, 41, 60_000, file(1).byteLength - 3]) {
      const bytes = file(1).subarray(0, file(1).byteLength - missing);
      const update = sums.begin({ contributor: "a", weight: 3 });
      send(update, bytes);
      expect(await outcomeOf(() => update.end())).toBe("aggregate/safetensors-truncated");
      // One of whose values none was added is gone already.
      if (missing < 70_000) await update.takeBack(asStream(bytes));
    }
    sendWhole(sums, "a", file(1));
    expect(await finish(sums)).toBe(wanted);
  });
});

describe("taking a stream back", () => {
  it("by other bytes, or too few, changes nothing that the right ones do not put right", async () => {
    const wanted = await ofTwo();
    const sums = await create();
    sendWhole(sums, "b", file(2));
    const update = sums.begin({ contributor: "a", weight: 3 });
    const bytes = file(1).subarray(0, 150_000);
    send(update, bytes);
    expect(await outcomeOf(() => update.takeBack([file(3)]))).toBe("aggregate/not-taken-back");
    expect(await outcomeOf(() => update.takeBack([file(1, { at: 20_000, value: 0.25 })]))).toBe("aggregate/not-taken-back");
    expect(await outcomeOf(() => update.takeBack([bytes.subarray(0, 100_000)]))).toBe("aggregate/not-taken-back");
    expect(await outcomeOf(() => finish(sums))).toBe("aggregate/update-unfinished");
    await update.takeBack([file(1)]);
    expect(await outcomeOf(() => update.takeBack([file(1)]))).toBe("aggregate/session-closed");
    sendWhole(sums, "a", file(1));
    expect(await finish(sums)).toBe(wanted);
  });

  it("is refused where sums are in float32, and so is finishing", async () => {
    const sums = await create("fast");
    sendWhole(sums, "b", file(2));
    const update = sums.begin({ contributor: "a", weight: 3 });
    update.write(file(1).subarray(0, 150_000));
    expect(await outcomeOf(() => update.takeBack([file(1)]))).toBe("aggregate/not-taken-back");
    expect(await outcomeOf(() => finish(sums))).toBe("aggregate/update-unfinished");
    sums.restart();
    sendWhole(sums, "a", file(1));
    await finish(sums);
  });
});

describe("sums of streams", () => {
  it("in float32 refuse values with which they could be beyond it", async () => {
    const sums = await create("fast");
    for (const contributor of ["a", "b", "c", "d"]) sendWhole(sums, contributor, file(1, { at: 3, value: 2 ** 125 }));
    const update = sums.begin({ contributor: "e", weight: 5 });
    expect(await outcomeOf(() => send(update, file(1, { at: 3, value: 2 ** 126 })))).toBe("aggregate/out-of-range");
    await finish(sums);
  });

  it("refuse weights, contributors and strategies as sessions do", async () => {
    const sums = await create();
    expect(await outcomeOf(() => sums.begin({ contributor: "a", weight: 0 }))).toBe("aggregate/weight-invalid");
    expect(await outcomeOf(() => finish(sums))).toBe("aggregate/no-contributions");
    sendWhole(sums, "a", file(1));
    expect(await outcomeOf(() => sums.begin({ contributor: "a", weight: 1 }))).toBe("aggregate/contributor-twice");
    const aborted = AbortSignal.abort();
    expect(await outcomeOf(() => sums.finish({ outPath: join(folder, "out.safetensors"), signal: aborted }))).toBe("internal/aborted");
    await finish(sums);
    expect(await outcomeOf(() => sums.begin({ contributor: "b", weight: 1 }))).toBe("aggregate/session-closed");
    sums.restart();
    const open = sums.begin({ contributor: "b", weight: 1 });
    sums.discard();
    expect(await outcomeOf(() => open.write(file(1)))).toBe("aggregate/session-closed");
    for (const strategy of [coordinateMedian(), krum({ byzantine: 1 })]) {
      const created = StreamSums.create({ nowMs }, { model, sums: { mode: "fast" }, paramsType: "FULL", strategy });
      expect(await outcomeOf(() => created)).toBe("aggregate/strategy-unfit");
    }
    const incomplete = StreamSums.create({ nowMs }, { model, sums: { mode: "exact", scale: { gridBits: {} } }, paramsType: "FULL" });
    expect(await outcomeOf(() => incomplete)).toBe("aggregate/scale-incomplete");
  });

  it("say how much they need where kernels cannot address it", async () => {
    const elements = 2 ** 29;
    const large = { ...model, tensors: [{ name: "a", dtype: "F32", shape: [elements], byteOffset: 0, byteLength: 4 * elements }] } as const;
    const created = StreamSums.create({ nowMs }, { model: large, sums: { mode: "exact", scale }, paramsType: "FULL" });
    expect(await outcomeOf(() => created)).toBe("aggregate/memory-exhausted");
  });
});

async function* asStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* cut(bytes, [999, 33_333]);
}
