import { getHeapCodeStatistics } from "node:v8";
import { runInThisContext } from "node:vm";
import { expect, it } from "vitest";
import { giveBackHeap, giveBackSmallHeap } from "./give-back-heap.js";

it("what was compiled for a function that runs no more is given back, and it runs again all the same", () => {
  const steps = Array.from({ length: 300 }, (_, i) => `total += Math.hypot(${i}, total) % ${i + 3};`).join("");
  const once = Array.from({ length: 50 }, (_, i) => runInThisContext(`(function once${i}(total) { ${steps} return total; })`));
  const results = once.map((run) => run(1));
  const { bytecode_and_metadata_size: before } = getHeapCodeStatistics();
  giveBackHeap();
  const { bytecode_and_metadata_size: after } = getHeapCodeStatistics();
  expect(before - after).toBeGreaterThan(50 * 5_000);
  expect(once.map((run) => run(1))).toEqual(results);
});

it("a heap that is larger than asked about is left alone", () => {
  const once = runInThisContext(`(function once(total) { ${"total += Math.hypot(1, total);".repeat(10_000)} return total; })`);
  once(1);
  const { bytecode_and_metadata_size: before } = getHeapCodeStatistics();
  giveBackSmallHeap(1);
  expect(getHeapCodeStatistics().bytecode_and_metadata_size).toBeGreaterThanOrEqual(before);
});
