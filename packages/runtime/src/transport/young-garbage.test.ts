import { expect, it } from "vitest";
import { YoungGarbage } from "./young-garbage.js";

const mebibyte = 2 ** 20;

it("young garbage is collected once for every 8 MiB that come in", () => {
  let times = 0;
  const garbage = new YoungGarbage({ collect: () => (times += 1) });
  for (let i = 0; i < 64; i++) garbage.note(mebibyte / 2);
  expect(times).toBe(4);
});

it("memory of what came in is free again without a collection of everything", () => {
  const garbage = new YoungGarbage();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let i = 0; i < 1024; i++) {
    Buffer.allocUnsafeSlow(mebibyte / 4);
    garbage.note(mebibyte / 4);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(64 * mebibyte);
});
