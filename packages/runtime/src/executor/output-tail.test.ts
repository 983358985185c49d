import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readOutputTail } from "./output-tail.js";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-output-"));
  file = join(folder, "trainer.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const secret = "s3cret-value-that-is-long";

describe("the last lines of a trainer", () => {
  it("are those after the start, each cut", async () => {
    await writeFile(file, `old\n${"x".repeat(400)}\nlast\n`);
    expect(await readOutputTail(file, { from: 4, secrets: [] })).toEqual(["x".repeat(300), "last"]);
    expect(await readOutputTail(file, { from: 4, lines: 1, secrets: [] })).toEqual(["last"]);
  });

  it("hold no part of a secret, wherever a line or the beginning is cut", async () => {
    const parts = Array.from({ length: secret.length - 8 }, (_, i) => secret.slice(i, i + 8));
    for (let shift = 0; shift <= secret.length; shift += 5) {
      await writeFile(file, `${"x".repeat(300 - shift)}${secret}\n`);
      const cutAtEnd = await readOutputTail(file, { from: 0, secrets: [secret] });
      await writeFile(file, `${secret}${"y".repeat(1200 - shift)}`);
      const cutAtStart = await readOutputTail(file, { from: 0, lines: 1, secrets: [secret] });
      await writeFile(file, `${secret}${"y".repeat(1100)}\n${"z".repeat(99 - shift)}`);
      const cutBefore = await readOutputTail(file, { from: 0, lines: 1, secrets: [secret] });
      const told = [...cutAtEnd, ...cutAtStart, ...cutBefore].join("\n");
      expect(parts.filter((part) => told.includes(part))).toEqual([]);
    }
  });
});
