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
  const rows = new TileRows();
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
      const row = await rows.read(update, laid);
      const wanted = new Float32Array(laid.length);
      for (const { piece, at } of laid.pieces) {
        for (let i = 0; i < piece.count; i++) wanted[at + i] = expected.get(piece.tensor)?.(piece.firstElement + i) ?? Number.NaN;
      }
      expect(Buffer.compare(Buffer.from(row.buffer, row.byteOffset, row.byteLength), Buffer.from(wanted.buffer))).toBe(0);
      new Float32Array(row.buffer).fill(Number.NaN);
      rows.giveBack([row]);
    }
  }
});

it("uses the rows that came back, and no row twice at once", async () => {
  const update = await updateOf(encodeSafetensors(sent));
  const [batch] = planBatches(layout.tensors, () => true);
  const laid = layRows(batch?.pieces ?? []);
  const rows = new TileRows();
  const [first, second] = await Promise.all([rows.read(update, laid), rows.read(update, laid)]);
  expect(first.buffer).not.toBe(second.buffer);
  rows.giveBack([first]);
  expect((await rows.read(update, laid)).buffer).toBe(first.buffer);
});
