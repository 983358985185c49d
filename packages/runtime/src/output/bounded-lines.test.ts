import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BoundedLines } from "./bounded-lines.js";

interface Line {
  readonly seq: number;
  readonly text: string;
}

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-lines-"));
  file = join(folder, "job", "logs.jsonl");
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const open = (maxBytes = 1_000_000): BoundedLines<Line> => new BoundedLines<Line>({ file, maxBytes });
const texts = (lines: BoundedLines<Line>, after: number, limit = 100) =>
  lines.read(after, limit).then(({ entries, ...rest }) => ({ texts: entries.map(({ text }) => text), ...rest }));

describe("lines in a file of bounded size", () => {
  it("are numbered, read in parts, and numbered on after a restart", async () => {
    const lines = open();
    await Promise.all([lines.append([{ text: "a" }, { text: "b" }]), lines.append([{ text: "c" }])]);
    expect(await texts(lines, 0, 2)).toEqual({ texts: ["a", "b"], hasMore: true, isCut: false });
    expect(await texts(lines, 2)).toEqual({ texts: ["c"], hasMore: false, isCut: false });
    const again = open();
    await again.append([{ text: "d" }]);
    expect(await again.lastSeq()).toBe(4);
    expect(await texts(again, 0)).toEqual({ texts: ["a", "b", "c", "d"], hasMore: false, isCut: false });
  });

  it("keep to the size, and say that the oldest are gone", async () => {
    const lines = open(2000);
    for (let i = 1; i <= 100; i += 1) await lines.append([{ text: `line ${i} ${"x".repeat(40)}` }]);
    const bytes = await Promise.all([file, `${file}.old`].map(async (path) => (await stat(path)).size));
    expect(bytes[0]).toBeLessThanOrEqual(1000);
    expect(bytes[1]).toBeLessThanOrEqual(1000);
    const { entries, isCut } = await open(2000).read(0, 1000);
    expect(isCut).toBe(true);
    expect(entries.at(-1)?.seq).toBe(100);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => (entries[0]?.seq ?? 0) + i));
  });

  it("are read in parts that go into one message, whatever they hold", async () => {
    const lines = open(64 * 1024 * 1024);
    const text = "\u0001".repeat(limits.logLineChars);
    await lines.append(Array.from({ length: 1_000 }, () => ({ text })));
    const seqs: number[] = [];
    for (let isLast = false; !isLast; ) {
      const { entries, hasMore, isCut } = await lines.read(seqs.at(-1) ?? 0, 1_000);
      expect(JSON.stringify(entries).length).toBeLessThan(limits.controlMessageBytes / 3);
      expect(isCut).toBe(false);
      seqs.push(...entries.map(({ seq }) => seq));
      isLast = !hasMore;
    }
    expect(seqs).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });

  it("survive a line that a crash cut off", async () => {
    await open().append([{ text: "whole" }]);
    await appendFile(file, '{"seq":2,"te');
    const again = open();
    await again.append([{ text: "after" }]);
    expect(await texts(again, 0)).toMatchObject({ texts: ["whole", "after"] });
    expect(await texts(open(), 0)).toMatchObject({ texts: ["whole", "after"] });
  });

  it("go on behind what a disk that became full has taken of them", async () => {
    const lines = open();
    await lines.append([{ text: "first" }]);
    const before = await readFile(file, "utf8");
    await rm(file);
    await mkdir(file);
    await expect(lines.append([{ text: "a" }, { text: "b" }])).rejects.toMatchObject({ code: "EISDIR" });
    await rm(file, { recursive: true });
    await writeFile(file, `${before}{"text":"a","seq":2}\n{"text":"b","se`);
    await lines.append([{ text: "c" }]);
    for (const each of [lines, open()]) {
      const { entries } = await each.read(0, 10);
      expect(entries.map(({ seq, text }) => [seq, text])).toEqual([
        [1, "first"],
        [2, "a"],
        [3, "c"],
      ]);
    }
  });

  it("of nothing are nothing, and no folder is made for reading", async () => {
    expect(await texts(open(), 0)).toEqual({ texts: [], hasMore: false, isCut: false });
    await expect(stat(join(folder, "job"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
