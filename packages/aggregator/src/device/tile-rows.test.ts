import { expect, it } from "vitest";
import { bytesSource } from "../byte-source.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import type { ReadableUpdate } from "../session/arithmetic.js";
import { planBatches } from "../session/batches.js";
import { indexModel, matchLayout } from "../session/match-layout.js";
import { layRows, TileRows } from "./tile-rows.js";

// Long enough for a read of its own, with a last run that is not full; short; of halves; and one that only the model has.
const large = Float32Array.from({ length: 50_001 }, (_, i) => i + 1);
const small = Float32Array.from({ length: 300 }, (_, i) => -i - 1);
const halves = new Uint16Array(257).fill(0x3c00);
const sent = [
  ["a-large", { dtype: "F32", shape: [large.length], data: large }],
  ["b-small", { dtype: "F32", shape: [small.length], data: small }],
  ["c-halves", { dtype: "F16", shape: [halves.length], data: halves }],
] as const;
const model = encodeSafetensors([...sent, ["d-lacking", { dtype: "F32", shape: [20_000], data: new Float32Array(20_000) }]]);
const layout = parseSafetensorsHeader(model);

async function updateOf(bytes: Uint8Array): Promise<ReadableUpdate> {
  const source = bytesSource(bytes, "update");
  return { source, stored: await matchLayout(indexModel(layout), parseSafetensorsHeader(bytes), source, source.label) };
}

it("reads every element to its place and zeros elsewhere, also into a row that held something else", async () => {
  const update = await updateOf(encodeSafetensors(sent));
  const rows = new TileRows({});
  const expected = new Map<number, (element: number) => number>([
    [0, (element) => large[element] ?? 0],
    [1, (element) => small[element] ?? 0],
    [2, () => 1],
    [3, () => 0],
  ]);
  // Whole blocks, and pieces that are no whole runs.
  for (const limits of [{}, { elements: 30_000 }, { elements: 1000, pieceElements: 100 }]) {
    for (const { pieces } of planBatches(layout.tensors, () => true, limits)) {
      const laid = layRows(pieces);
      const filled = await rows.read([update], laid);
      const [row] = filled.values as [Float32Array];
      const wanted = new Float32Array(laid.length);
      for (const { piece, at } of laid.pieces) {
        for (let i = 0; i < piece.count; i++) wanted[at + i] = expected.get(piece.tensor)?.(piece.firstElement + i) ?? Number.NaN;
      }
      expect(Buffer.compare(Buffer.from(row.buffer, row.byteOffset, row.byteLength), Buffer.from(wanted.buffer))).toBe(0);
      new Float32Array(row.buffer).fill(Number.NaN);
      filled.giveBack();
    }
  }
});

it("uses the rows that came back, and no row twice at once", async () => {
  const update = await updateOf(encodeSafetensors(sent));
  const [batch] = planBatches(layout.tensors, () => true);
  const laid = layRows(batch?.pieces ?? []);
  const rows = new TileRows({});
  const [first, second] = await Promise.all([rows.read([update], laid), rows.read([update, update], laid)]);
  const buffers = [first, second].flatMap(({ values }) => values.map(({ buffer }) => buffer));
  expect(new Set(buffers).size).toBe(3);
  first.giveBack();
  expect((await rows.read([update], laid)).values[0]?.buffer).toBe(buffers[0]);
});

it("fills the rows that a device lends, and gives them back when nobody reads into them any more", async () => {
  const update = await updateOf(encodeSafetensors(sent));
  const [batch] = planBatches(layout.tensors, () => true);
  const laid = layRows(batch?.pieces ?? []);
  const lent: Float32Array[] = [];
  let isReleased = false;
  const rows = new TileRows({
    lend: async (updates, elements) => {
      lent.push(...Array.from({ length: updates }, () => new Float32Array(elements).fill(Number.NaN)));
      return { values: lent, release: () => void (isReleased = true) };
    },
  });
  const own = await new TileRows({}).read([update], laid);
  expect((await rows.read([update], laid)).values).toEqual(own.values);
  lent.length = 0;
  let end = (): void => {};
  const slow = new Promise<void>((resolve) => {
    end = resolve;
  });
  const broken: ReadableUpdate = { ...update, source: { ...update.source, read: () => Promise.reject(new Error("gone")) } };
  const waiting: ReadableUpdate = { ...update, source: { ...update.source, read: () => slow } };
  const read = rows.read([broken, waiting], laid);
  read.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  expect(isReleased).toBe(false);
  end();
  await expect(read).rejects.toThrow("gone");
  expect(isReleased).toBe(true);
});

it("fills rows of its own where the device has none to lend", async () => {
  const update = await updateOf(encodeSafetensors(sent));
  const [batch] = planBatches(layout.tensors, () => true);
  const laid = layRows(batch?.pieces ?? []);
  const rows = new TileRows({ lend: async () => undefined });
  expect((await rows.read([update], laid)).values).toEqual((await new TileRows({}).read([update], laid)).values);
});
