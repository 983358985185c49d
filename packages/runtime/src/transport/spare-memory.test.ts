import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { SpareMemory } from "./spare-memory.js";

/** Memory of numbered pieces. */
function numbered(init: { readonly most?: number; readonly keptMs?: number } = {}): SpareMemory<number> {
  let made = 0;
  return new SpareMemory({ make: () => (made += 1) }, init);
}

it("a piece that was given back serves again, the last one first, and once for each time", () => {
  const memory = numbered();
  expect([memory.take(), memory.take()]).toEqual([1, 2]);
  memory.giveBack(1);
  memory.giveBack(2);
  memory.giveBack(1);
  expect([memory.take(), memory.take(), memory.take()]).toEqual([2, 1, 3]);
});

it("no more pieces are kept than may be", () => {
  const memory = numbered({ most: 2 });
  const pieces = [memory.take(), memory.take(), memory.take()];
  for (const piece of pieces) memory.giveBack(piece);
  expect([memory.take(), memory.take(), memory.take()]).toEqual([2, 1, 4]);
});

it("nothing is kept for long after the last use", async () => {
  const memory = numbered({ keptMs: 20 });
  memory.giveBack(memory.take());
  expect(memory.take()).toBe(1);
  memory.giveBack(1);
  await setTimeout(200);
  expect(memory.take()).toBe(2);
});
