import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { limits } from "@flare-ts/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSiteStatistics, siteStatisticsDocument } from "./site-statistics.js";
import { encodeStatistics, holdsStatistics, readStatistics, statisticsTensor } from "./statistics-file.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-statistics-"));
});
afterAll(() => rm(folder, { recursive: true }));

const feature = { dataset: "d", feature: "x", count: 3, failure_count: 0, sum: 6 };
const answer = (...features: readonly unknown[]) => ({ version: 1, pass: 1, features });

describe("what a site answers", () => {
  it("is read as it was written", () => {
    const whole = {
      ...feature,
      min: 1,
      max: 3,
      stddev: 1,
      var: 0.5,
      histogram: { low: 0, high: 4, counts: [1, 2] },
      digest: [[1, 1]],
    };
    const parsed = parseSiteStatistics(answer(whole));
    expect(JSON.parse(JSON.stringify(siteStatisticsDocument(parsed)))).toEqual(answer(whole));
  });

  it.each<[string, unknown]>([
    ["no document", 7],
    ["another version", { ...answer(), version: 2 }],
    ["no pass", { ...answer(), pass: 3 }],
    ["a field of its own", { ...answer(), patients: ["Jane Doe"] }],
    ["a field in a feature", answer({ ...feature, names: "Jane Doe" })],
    ["a text in the place of a number", answer({ ...feature, sum: "Jane Doe" })],
    ["no number", answer({ ...feature, sum: null })],
    ["a count below zero", answer({ ...feature, count: -1 })],
    ["a feature twice", answer(feature, feature)],
    ["a long name", answer({ ...feature, feature: "x".repeat(257) })],
    ["no name", answer({ ...feature, dataset: "" })],
    ["a histogram with more", answer({ ...feature, histogram: { low: 0, high: 1, counts: [1], note: "x" } })],
    [
      "too many bins",
      answer({ ...feature, histogram: { low: 0, high: 1, counts: Array.from({ length: limits.statisticsBins + 1 }, () => 0) } }),
    ],
    ["a centroid that is none", answer({ ...feature, digest: [[1, 2, 3]] })],
    ["too many features", answer(...Array.from({ length: limits.statisticsFeatures + 1 }, () => feature))],
  ])("is refused with %s", (_, document) => {
    expect(() => parseSiteStatistics(document)).toThrow(expect.objectContaining({ code: "client-api/result-invalid" }));
  });
});

describe("a file of statistics", () => {
  const fileOf = async (bytes: Uint8Array): Promise<string> => {
    const path = join(folder, "file.safetensors");
    await writeFile(path, bytes);
    return path;
  };
  const bytesOf = (text: string) => ({ dtype: "U8", shape: [text.length], data: new TextEncoder().encode(text) }) as const;

  it("is known by its one tensor, whoever wrote it", async () => {
    const path = await fileOf(encodeStatistics(answer(feature)));
    expect(holdsStatistics(path)).toBe(true);
    expect(readStatistics(path)).toEqual(answer(feature));
    const other = await fileOf(encodeSafetensors([[statisticsTensor, bytesOf(JSON.stringify(answer(feature)))]], { by: "somebody" }));
    expect(readStatistics(other)).toEqual(answer(feature));
  });

  it.each<[string, Uint8Array]>([
    ["another tensor", encodeSafetensors([["w", bytesOf("{}")]])],
    [
      "a further tensor",
      encodeSafetensors([
        [statisticsTensor, bytesOf("{}")],
        ["w", bytesOf("x")],
      ]),
    ],
    ["another kind of elements", encodeSafetensors([[statisticsTensor, { dtype: "I8", shape: [2], data: new Int8Array(2) }]])],
    ["no safetensors file", new TextEncoder().encode("no safetensors file at all")],
    ["nothing", new Uint8Array()],
  ])("is not one with %s", async (_, bytes) => {
    expect(holdsStatistics(await fileOf(bytes))).toBe(false);
  });

  it("is refused where it is no JSON, or too long", async () => {
    const broken = await fileOf(encodeSafetensors([[statisticsTensor, bytesOf("{")]]));
    expect(() => readStatistics(broken)).toThrow(/no JSON document/);
    const long = await fileOf(encodeStatistics("x".repeat(limits.statisticsBytes)));
    expect(() => readStatistics(long)).toThrow(/beyond the limit/);
  });
});
