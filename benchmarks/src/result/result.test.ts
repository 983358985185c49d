import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { figureViews, speedRatios } from "./figure-view.ts";
import { countText, errorText, millisecondsText, threeDigits } from "./number-text.ts";
import { checkResult, readResult } from "./read-result.ts";
import type { BenchResult } from "./result.ts";
import { resultTable } from "./result-table.ts";
import { sampleResult } from "./sample-result.test-support.ts";

describe("a file of results", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-bench-test-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is read as it was written", async () => {
    const file = join(folder, "a.json");
    await writeFile(file, JSON.stringify(sampleResult()));
    expect(await readResult(file)).toEqual(sampleResult());
  });

  it("is named when it is not there", async () => {
    await expect(readResult(join(folder, "none.json"))).rejects.toThrow(
      expect.objectContaining({ code: "file/not-found", message: expect.stringContaining("none.json does not exist.") }),
    );
  });

  it.each([
    ["no JSON", "{", "and this is something else"],
    ["another thing", '{"benchmark":"aggregate","rows":[]}', "and this is something else"],
    ["an array", "[]", "and this is something else"],
    ["another version", JSON.stringify({ ...sampleResult(), version: 99 }), "and this is version 99 of it"],
  ])("of %s is refused by what it is", (_what, text, message) => {
    expect(() => checkResult(text, "a.json")).toThrow(
      expect.objectContaining({ code: "document/invalid", message: expect.stringContaining(message) }),
    );
  });

  it.each([
    [
      "a sample is missing",
      (figure: Figure) => ({ ...figure, samplesMs: figure.samplesMs.slice(1) }),
      "points[0].figures[0].samplesMs",
      "has not one sample for each run",
    ],
    [
      "it is held against nothing",
      (figure: Figure) => ({ ...figure, against: { read: "machine/none/t1" } }),
      "points[0].figures[0].against",
      "names no figure: machine/none/t1",
    ],
    ["an id stands twice", (figure: Figure) => ({ ...figure, id: "machine/triad/t1" }), "points[0].figures", "names an id twice"],
    [
      "a time is negative",
      (figure: Figure) => ({ ...figure, samplesMs: figure.samplesMs.map((ms) => -ms) }),
      "points[0].figures[0].samplesMs[0]",
      "",
    ],
  ])("in which %s is refused at the place", (_what, damage, path, message) => {
    const good = sampleResult();
    const damaged = {
      ...good,
      points: good.points.map((point) => ({ ...point, figures: point.figures.map((each, i) => (i === 0 ? damage(each) : each)) })),
    };
    expect(() => checkResult(JSON.stringify(damaged), "a.json")).toThrow(
      expect.objectContaining({
        code: "document/invalid",
        problems: expect.arrayContaining([
          expect.objectContaining({ file: "a.json", path: expect.stringContaining(path), message: expect.stringContaining(message) }),
        ]),
      }),
    );
  });
});

type Figure = BenchResult["points"][number]["figures"][number];

describe("a figure", () => {
  const figure = (id: string, bytes: number, samplesMs: number[], against: Figure["against"] = {}): Figure => ({
    id,
    group: "engine",
    what: id,
    source: "memory",
    threads: 1,
    bytes,
    samplesMs,
    against,
  });
  const point = {
    clients: 1,
    params: 1,
    tensors: 1,
    updateBytes: 4,
    distinctFiles: 1,
    memory: [],
    figures: [
      figure("numpy", 4e6, [8, 40, 12]),
      figure("read", 8e6, [1, 1, 1]),
      figure("engine", 4e6, [4, 10, 2], { numpy: "numpy", read: "read" }),
    ],
  };

  it("is held against what ran beside it, run by run", () => {
    const engine = point.figures[2] ?? figure("", 0, []);
    expect(speedRatios(point, engine, "numpy")).toEqual([2, 4, 6]);
    expect(speedRatios(point, engine, "torch")).toBeUndefined();
    // 4 MB in 4 ms against 8 MB in 1 ms.
    expect(speedRatios(point, engine, "read")?.[0]).toBe(0.125);
  });

  it("is shown by its median", () => {
    expect(figureViews(point)[2]).toMatchObject({ gbPerSecond: 1, timesNumpy: 4, timesTorch: undefined, shareOfRead: 0.125 });
  });
});

it("numbers have three digits and no more", () => {
  expect([0, 0.01234, 1.005, 12.34, 123.4, 12345].map(threeDigits)).toEqual(["0", "0.0123", "1.00", "12.3", "123", "12345"]);
  expect([0, undefined, 5.96e-8].map(errorText)).toEqual(["0", "", "6.0e-8"]);
  expect([5000, 25e6, 1_235_814_400].map(countText)).toEqual(["5000", "25 million", "1.24 billion"]);
  expect(millisecondsText({ count: 3, median: 12.34, min: 9.876, max: 101.9 })).toBe("12.3 (9.88–102)");
});

it("the table for a terminal has a line for each figure of each size, in columns", () => {
  const result = sampleResult();
  const lines = resultTable(result).split("\n");
  expect(lines.filter((line) => line.startsWith("cpu-wasm, exact: weighted mean"))).toHaveLength(2 * result.points.length);
  const exact = lines.find((line) => line.startsWith("cpu-wasm, exact: weighted mean") && line.includes(" 14.1 "));
  expect(exact).toMatch(/ 2 .*56\.9 \(.*\).* 14\.1 .*2\.04 .*1\.24 .*36%.*5\.8e-8$/);
  expect(lines).toContain("Note: PyTorch: torch.median was left out: <not asked for>");
});
