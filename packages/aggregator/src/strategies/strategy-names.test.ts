import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { seededBytes } from "./sample-round.test-support.js";
import { createStrategy, type StrategyName, settingsOf, strategyNames } from "./strategy-names.js";

const components = { randomBytes: seededBytes(1) };

/** What a person would type for each, at the least. */
const least: Readonly<Record<StrategyName, Readonly<Record<string, string>>>> = {
  "fed-avg": {},
  "fed-prox": { mu: "0.01" },
  "fed-avg-m": {},
  "fed-adam": { learningRate: "0.1" },
  "fed-yogi": { learningRate: "0.1" },
  "fed-adagrad": { learningRate: "0.1" },
  scaffold: {},
  "scaffold-control": { totalClients: "5" },
  "scaffold-round": { totalClients: "5" },
  "fed-buff": {},
  median: {},
  "trimmed-mean": { fraction: "0.2" },
  krum: { byzantine: "1" },
  "multi-krum": { byzantine: "1" },
  "geometric-median": {},
  "norm-clip": { clipNorm: "1" },
  "dp-fed-avg": { clipNorm: "1", noiseMultiplier: "1", expectedContributors: "5" },
};

describe("createStrategy", () => {
  it.each(strategyNames)("makes %s of what was typed, and again of the settings that it shows", (name) => {
    const strategy = createStrategy(name, least[name], components);
    expect(strategy.name).toBe(name);
    expect(strategy.settings).toMatchObject(Object.fromEntries(Object.entries(least[name]).map(([key, text]) => [key, Number(text)])));
    expect(createStrategy(name, strategy.settings, components).settings).toEqual(strategy.settings);
  });

  it("refuses everything but what is needed at the least", () => {
    for (const name of strategyNames) {
      for (const key of Object.keys(least[name])) {
        const { [key]: _left, ...rest } = least[name];
        expect(() => createStrategy(name, rest, components)).toThrow(`Setting "${key}" of ${name} is missing`);
      }
    }
  });

  it("reads numbers, truth, words and lists from text, and takes them as they are", () => {
    const typed = { learningRate: "0.5", biasCorrection: "true", plainTensors: "a,b.c" };
    const asTheyAre = { learningRate: 0.5, biasCorrection: true, plainTensors: ["a", "b.c"] };
    expect(createStrategy("fed-adam", asTheyAre, components).settings).toEqual(createStrategy("fed-adam", typed, components).settings);
    expect(createStrategy("fed-adam", typed, components).settings).toMatchObject({
      learningRate: 0.5,
      biasCorrection: true,
      plainTensors: "a,b.c",
    });
    expect(createStrategy("fed-buff", { weighting: "samples", stalenessExponent: 1 }, components).settings).toMatchObject({
      weighting: "samples",
      stalenessExponent: 1,
    });
  });

  it.each([
    ["fed-avgg", {}, 'There is no strategy "fed-avgg"; did you mean "fed-avg"?'],
    ["toString", {}, 'There is no strategy "toString"; there are fed-avg, fed-prox,'],
    ["trimmed-mean", { fractoin: "0.2" }, 'trimmed-mean has no setting "fractoin"; did you mean "fraction"?'],
    ["fed-avg", { mu: "1" }, 'fed-avg has no setting "mu"; it has none.'],
    ["median", { fraction: "0.1" }, 'median has no setting "fraction"; it has none.'],
    ["fed-yogi", { optimizer: "adam", learningRate: 1 }, 'fed-yogi has no setting "optimizer"; it has learningRate,'],
    ["dp-fed-avg", { ...least["dp-fed-avg"], randomBytes: "1" }, 'dp-fed-avg has no setting "randomBytes"; it has clipNorm,'],
    [
      "trimmed-mean",
      { fraction: "a fifth" },
      'Setting "fraction" of trimmed-mean is "a fifth"; it must be a number of at least 0 and below 0.5.',
    ],
    ["krum", { byzantine: "1.5" }, 'Setting "byzantine" of krum is 1.5; it must be a whole number of at least 0 and at most 2046.'],
  ] as const)("refuses %s with %o", (name, options, message) => {
    expect(() => createStrategy(name, options, components)).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-invalid", message: expect.stringContaining(message) }),
    );
  });
});

describe("docs/strategies.md", () => {
  it("has each strategy, each of its settings with range and default, and nothing else", async () => {
    const page = await readFile(new URL("../../../../docs/strategies.md", import.meta.url), "utf8");
    const rows = (page.split("\n## ")[0] ?? "").matchAll(/^\| `([a-z-]+)` \| [^|]* \| ([^|]*) \|/gm);
    const written = Object.fromEntries([...rows].map(([, name = "", settings = ""]) => [name, settings]));
    expect(Object.keys(written)).toEqual([...strategyNames]);
    for (const name of strategyNames) {
      const cells = (written[name] ?? "").split("<br>").map((cell) => cell.trim());
      expect(cells).toEqual(settingsOf(name).length === 0 ? ["none"] : settingsOf(name).map(wordsFor));
    }
  });
});

/** A setting as the page has it: `name` range, default. */
function wordsFor({ setting, mustBe, fallback }: ReturnType<typeof settingsOf>[number]): string {
  const range = mustBe
    .replace(/^a (whole )?number ?/, (_, whole: string | undefined) => (whole === undefined ? "" : "whole, "))
    .replaceAll(/of at least (\S+)/g, "≥ $1")
    .replaceAll(/above (\S+)/g, "> $1")
    .replaceAll(/at most (\S+)/g, "≤ $1")
    .replaceAll(/below (\S+)/g, "< $1")
    .replaceAll(" and ", ", ")
    .replace(/, on a command line.*/, "")
    .replaceAll('"', "");
  const required = fallback === undefined ? "" : `; ${JSON.stringify(fallback).replaceAll('"', "")}`;
  return `\`${setting}\` ${range}${required}`;
}
