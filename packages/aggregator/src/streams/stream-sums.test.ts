import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ParamsType } from "../aggregation-engine.js";
import { announceScale } from "../announce-scale.js";
import { compressUpdate } from "../compression/compress-update.js";
import { announcedScale } from "../exact/exact-scale.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { fedAvg } from "../strategies/fed-avg.js";
import { fedOpt } from "../strategies/fed-opt.js";
import { coordinateMedian } from "../strategies/median.js";
import { type Dtype, dtypeBytes, isFloatDtype } from "../tensor.js";
import { type SampleTensor, sampleUpdate } from "../wasm/sample-federation.test-support.js";
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

/** Cuts bytes as the lengths say, over and over. */
function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.byteLength; i++) {
    const end = at + (lengths[i % lengths.length] ?? 1);
    // A buffer that is written over once it was given, as sockets do.
    const chunk = bytes.slice(at, end);
    yield chunk;
    chunk.fill(0xff);
    at = end;
  }
}

function send(update: StreamUpdate, bytes: Uint8Array, lengths: readonly number[] = [65_536]): void {
  for (const chunk of cut(bytes, lengths)) update.write(chunk);
}

/** The code of the error that something ends with; "none" where it does not. */
async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "none";
  } catch (cause) {
    return (cause as { code: string }).code;
  }
}

const dtypes = Object.keys(dtypeBytes) as Dtype[];
const shape = fc.oneof(
  fc.constant([]),
  fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }),
  fc.integer({ min: 0, max: 300 }).map((length) => [length]),
  fc.integer({ min: 16_380, max: 50_001 }).map((length) => [length]),
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
      fc.asyncProperty(federation, async ({ tensors, weights, seed, absence, paramsType, lengths, breaks, isSimdAllowed, turns }) => {
        const model = sampleUpdate(tensors, seed);
        const base = join(folder, "base.safetensors");
        await writeFile(base, model);
        const layout = parseSafetensorsHeader(model);
        const sent = weights.map((weight, i): Sent => ({ weight, bytes: sampleUpdate(tensors, seed + i + 1, absence) }));
        const maxAbs = Object.fromEntries(
          layout.tensors.filter(({ dtype }) => isFloatDtype(dtype)).map(({ name, dtype }) => [name, dtype === "BF16" ? 2 ** 127 : 2 ** 40]),
        );
        const scale = announcedScale(maxAbs, 2 ** 20);
        const wanted = await codeOrHash(async () => {
          const session = await js.open({ model: layout, strategy: fedAvg(), paramsType, scale });
          try {
            for (const [i, { weight, bytes }] of sent.entries())
              await session.add({ contributor: `site-${i}`, weight, source: bytes, paramsType });
            return (await session.finish({ outPath: outPath(), base, isDurable: false })).sha256;
          } finally {
            await session.discard();
          }
        });
        if (!wanted.includes("/")) finished += 1;
        const sums = await StreamSums.create({ nowMs }, { model: layout, sums: { mode: "exact", scale }, paramsType, isSimdAllowed });
        const got = await codeOrHash(async () => {
          await sendInTurns(sums, sent, { lengths, breaks, turns });
          return (await sums.finish({ outPath: outPath(), base, isDurable: false })).sha256;
        });
        expect(got).toBe(wanted);
      }),
      { numRuns: 30, endOnFailure: true },
    );
    expect(finished).toBeGreaterThan(15);
  });
});

async function codeOrHash(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (cause) {
    const { code } = cause as { readonly code?: string };
    if (code === undefined) throw cause;
    return code;
  }
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
      await each.update.takeBack(cut(written, [...lengths].reverse()));
      each.update = each.begin();
      each.chunks = cut(each.bytes, lengths);
      each.isAgain = true;
    } else each.update.write(next.value);
  }
}
