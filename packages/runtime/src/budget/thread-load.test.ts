import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ThreadLoad } from "./thread-load.js";

it("a thread that works all the time is busy, and one that waits is not", async () => {
  const load = new ThreadLoad();
  await sleep(300);
  expect(load.isBusy()).toBe(false);
  const end = performance.now() + 300;
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
  expect(load.isBusy()).toBe(true);
});
