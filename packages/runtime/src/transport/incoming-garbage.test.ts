import { expect, it } from "vitest";
import { IncomingGarbage } from "./incoming-garbage.js";

const mebibyte = 2 ** 20;

it("young garbage is collected once for every 8 MiB that come in", () => {
  const types: string[] = [];
  const garbage = new IncomingGarbage({ collect: (type) => types.push(type), outsideBytes: () => 5 * mebibyte });
  for (let i = 0; i < 64; i++) garbage.note(mebibyte / 2);
  expect(types).toEqual(["minor", "minor", "minor", "minor"]);
});

it("all garbage is collected when young collections have left 16 MiB more than the last of these did", () => {
  const types: string[] = [];
  let outside = 10 * mebibyte;
  const garbage = new IncomingGarbage({
    collect: (type) => {
      types.push(type);
      if (type === "major") outside = 12 * mebibyte;
    },
    outsideBytes: () => outside,
  });
  const held = [20, 26, 28, 4, 20].map((megabytes) => {
    outside = megabytes * mebibyte;
    garbage.note(8 * mebibyte);
    return types.splice(0).join("+");
  });
  // To 10 at first, to 12 then, and to the 4 that something else has left at last.
  expect(held).toEqual(["minor", "minor+major", "minor+major", "minor", "minor+major"]);
});

it("memory of what came in is free again before V8 would look for it, also where it is old", () => {
  const garbage = new IncomingGarbage();
  const before = process.memoryUsage().arrayBuffers;
  const waiting: Buffer[] = [];
  let most = 0;
  for (let i = 0; i < 1024; i++) {
    // Each is kept through two young collections.
    waiting.push(Buffer.allocUnsafeSlow(mebibyte / 4));
    if (waiting.length > 80) waiting.shift();
    garbage.note(mebibyte / 4);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(64 * mebibyte);
});
