import { describe, expect, it } from "vitest";
import { parseOptions } from "../../command-line/parse-options.ts";
import { growthText, largeReport, sitesReport } from "./large-report.ts";
import { type LargeSettings, largeOptions, largeSettings } from "./large-settings.ts";
import type { LargeRounds } from "./measure-large-rounds.ts";

const settings = (...args: readonly string[]): LargeSettings | undefined =>
  largeSettings(parseOptions(largeOptions, args), { sites: 2, rounds: 5 });

const memory = (name: string, peakBytes: number) => ({ name, idleBytes: 80e6, peakBytes, perRound: [], parentSeconds: 1 });

const result: LargeRounds = {
  seconds: [1.1, 1.3, 1.2],
  aggregationSeconds: [0.2, 0.2, 0.3],
  updateBytes: 200e6,
  server: memory("server", 260e6),
  sites: [memory("site-1", 180e6), memory("site-2", 190e6)],
  kernel: { limitBytes: 512e6, kills: 0, peakBytes: 512e6 },
  noKernel: null,
};

describe("rounds of a large model", () => {
  it("are asked for by the model's size", () => {
    expect(settings()).toBeUndefined();
    expect(settings("--model", "400MB", "--trainer", "typescript", "--wire", "blockwise8", "--max-memory", "512MiB")).toEqual({
      modelBytes: 400e6,
      sites: 2,
      rounds: 5,
      trainer: "typescript",
      wire: "blockwise8",
      maxMemory: 2 ** 29,
      siteMaxMemory: undefined,
    });
    expect(() => settings("--max-memory", "512MB")).toThrow("--max-memory goes with --model only.");
    expect(() => settings("--model", "1MB", "--wire", "float17")).toThrow("Did you mean 'float16'?");
  });

  it("stand beside those of other systems of the same size, named as such", () => {
    const asked = settings("--model", "100MB", "--trainer", "typescript");
    if (asked === undefined) throw new TypeError("no settings");
    const report = largeReport(asked, result);
    expect(report).toMatch(/a round, 100 MB, 2 sites +1.200 s \(1.100–1.300, n=3\) +5.2 s +8.2 s/);
    expect(report).toMatch(/server, above idle +180 MB/);
    expect(report).toMatch(/site, above idle +110 MB/);
    expect(report).toContain("The kernel held all processes of the server to 512 MB");
    expect(largeReport({ ...asked, modelBytes: 7e6 }, result)).toMatch(/a round, 7.00 MB, 2 sites .* - +-/);
    const many = sitesReport([
      { settings: asked, result },
      { settings: { ...asked, sites: 32 }, result },
    ]);
    expect(many).toMatch(/^sites +server, at most/);
    expect(many).toMatch(/^ *32 +260 MB +180 MB/m);
  });

  it("say how memory grew between early rounds and late ones", () => {
    const perRound = Array.from({ length: 40 }, (_, round) => 100e6 + Math.min(round, 5) * 1e6 + round * 1e5);
    expect(growthText({ perRound })).toBe("+2.00 MB (106 to 108 MB)");
    expect(growthText({ perRound: perRound.slice(0, 4) })).toBe("-");
  });
});
