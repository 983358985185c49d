import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FlareError } from "@flare-ts/contracts/errors";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AggregationEngine, AggregationSession, Update } from "../aggregation-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { coordinateMedian } from "../strategies/median.js";
import { WasmEngine } from "../wasm/wasm-engine.js";

const sessions = 1000;
const contributors = 3;

let folder = "";
let spoolFolder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-many-"));
  spoolFolder = await mkdtemp(join(tmpdir(), "flare-spool-"));
  for (let i = 0; i < contributors; i++) await writeFile(fileOf(i), sample(i));
  await writeFile(fileOf("broken"), sample(Number.NaN));
});
afterAll(() => Promise.all([folder, spoolFolder].map((each) => rm(each, { recursive: true }))));

const fileOf = (of: number | string): string => join(folder, `${of}.safetensors`);

function sample(seed: number): Uint8Array {
  return encodeSafetensors([
    ["w", { dtype: "F32", shape: [5001], data: new Float32Array(5001).fill(seed) }],
    ["n", { dtype: "I64", shape: [1], data: BigInt64Array.of(3n) }],
  ]);
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 7000) yield bytes.slice(at, at + 7000);
}

/** The kinds of sources, in turn. */
function sourceOf(session: number, contributor: number, bytes: Uint8Array): Update["source"] {
  return [fileOf(contributor), bytes, streamOf(bytes)][(session + contributor) % 3] ?? bytes;
}

/** How a promise ended: `ok` or the code of the error. */
const endOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "ok",
    (cause: unknown) => (cause instanceof FlareError ? cause.code : String(cause)),
  );

/** A session that ends well, is refused updates, is aborted in one of several places, or is left. Gives how all of it ended. */
async function runSession(engine: AggregationEngine, session: number, updates: readonly Uint8Array[]): Promise<string> {
  const opened: AggregationSession = await engine.open({
    model: fileOf(0),
    strategy: session % 7 === 6 ? coordinateMedian() : fedAvg(),
    paramsType: "FULL",
    spoolFolder,
    check: session % 2 === 0 ? "add" : "finish",
  });
  const add = (contributor: number | string, source: Update["source"], signal?: AbortSignal): Promise<string> =>
    endOf(opened.add({ contributor: `${contributor}`, weight: 1, source, paramsType: "FULL" }, signal));
  const finish = (signal?: AbortSignal, onProgress?: () => void): Promise<string> =>
    endOf(opened.finish({ outPath: fileOf("out"), isDurable: false, signal, onProgress }));
  const [bytes = new Uint8Array(0)] = updates;
  const ends: string[] = [];
  for (const [i, update] of updates.entries()) ends.push(await add(i, sourceOf(session, i, update)));
  const stop = new AbortController();
  switch (session % 5) {
    case 1: {
      const refusals = [bytes.subarray(0, 100), streamOf(bytes.subarray(0, 200)), fileOf("nowhere")];
      ends.push(...(await Promise.all(refusals.map((source, i) => add(`bad ${i}`, source)))));
      await opened.remove("1");
      break;
    }
    case 2: {
      const adding = add("late", streamOf(bytes), stop.signal);
      stop.abort();
      ends.push(await adding);
      break;
    }
    case 3:
      ends.push(await finish(stop.signal, () => stop.abort()));
      break;
    case 4: {
      ends.push(await add("broken", session % 2 === 0 ? fileOf("broken") : await readFile(fileOf("broken"))));
      if (session % 2 === 1) ends.push(await finish());
      const adding = add("late", streamOf(bytes));
      await opened.discard();
      return [...ends, await adding].join(" ");
    }
    default:
  }
  return [...ends, await finish()].join(" ");
}

/** How each kind of session has to end. */
const ends = [
  "ok ok ok ok",
  "ok ok ok aggregate/safetensors-truncated aggregate/safetensors-truncated file/not-found ok",
  "ok ok ok internal/aborted ok",
  "ok ok ok internal/aborted ok",
  "ok ok ok aggregate/not-finite internal/aborted",
  "ok ok ok ok",
  "ok ok ok aggregate/safetensors-truncated aggregate/safetensors-truncated file/not-found ok",
  "ok ok ok internal/aborted ok",
  "ok ok ok internal/aborted ok",
  "ok ok ok ok aggregate/not-finite internal/aborted",
];

const openFiles = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

/** Bytes of the heap and of buffers once all that can be collected was. */
async function heldBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) {
    await nextTurn();
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

// Open files are counted where Linux shows them.
it.skipIf(process.platform !== "linux")(
  `${sessions} sessions leave nothing behind: no memory, no open file, no temporary file`,
  async () => {
    const engine = await WasmEngine.create({ nowMs: () => performance.now() }, { threads: 2 });
    const updates = Array.from({ length: contributors }, (_, i) => sample(i));
    try {
      // All kinds of sessions once, so that everything that is kept is there.
      for (let session = 0; session < 210; session++) await runSession(engine, session, updates);
      const before = { kernel: engine.kernelBytes, files: await openFiles(), held: await heldBytes() };
      for (let session = 210; session < sessions; session++)
        expect(await runSession(engine, session, updates)).toBe(ends[session % ends.length]);
      expect(engine.kernelBytes).toBe(before.kernel);
      expect(await openFiles()).toBeLessThanOrEqual(before.files);
      // 790 sessions that held on to one update each would hold 15 MB.
      expect((await heldBytes()) - before.held).toBeLessThan(3e6);
      expect(await readdir(spoolFolder)).toEqual([]);
      expect((await readdir(folder)).sort()).toEqual(["0", "1", "2", "broken", "out"].map((each) => `${each}.safetensors`));
    } finally {
      await engine.close();
    }
  },
  180_000,
);
