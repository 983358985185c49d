import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { carryOut } from "./carry-out.reference.js";
import { type CustomStrategy, customStrategy } from "./custom.js";
import { sampleUpdates, seeded } from "./sample-round.test-support.js";
import type { Share, Strategy } from "./strategy.js";

/** What a module exports as `made`. */
async function imported(module: string): Promise<(make: typeof customStrategy) => Strategy> {
  const folder = await mkdtemp(join(tmpdir(), "flare-custom-"));
  try {
    await writeFile(join(folder, "example.mjs"), module);
    const { made } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "example.mjs")).href)) as {
      made: (make: typeof customStrategy) => Strategy;
    };
    return made;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("customStrategy", () => {
  it("is FedAvg under another name where nothing is given", () => {
    const strategy = customStrategy({ name: "mine" });
    expect(strategy).toEqual({ name: "mine", settings: {}, needs: {}, combine: { kind: "mean" } });
    const updates = sampleUpdates(seeded(90), 4, { w: 3 });
    const { shares } = carryOut(strategy, { base: { w: [0, 0, 0] }, updates, paramsType: "DIFF" });
    expect(shares).toEqual(updates.map(({ weight }) => ({ factor: weight, weight })));
  });

  it.each(["custom.ts", "../../../../docs/strategies.md"])("runs the example in %s", async (path) => {
    const source = await readFile(new URL(path, import.meta.url), "utf8");
    const block = /```js\n(?:(?!```)[\s\S])*?(const shorterHalf = [\s\S]*?)```/.exec(source.replaceAll(/^ \* ?/gm, ""));
    const example = block?.[1] ?? "";
    const module = `export const made = (customStrategy) => {\n${example}\nreturn shorterHalf;\n};`;
    const made = await imported(module);
    const updates = [5, 1, 3].map((length, i) => ({ contributor: `site-${i}`, weight: 2, tensors: { w: [length] } }));
    expect(carryOut(made(customStrategy), { base: { w: [0] }, updates, paramsType: "DIFF" }).model).toEqual({ w: [2] });
  });

  it("takes a combination and a step of one's own", () => {
    const largest = customStrategy({
      name: "largest",
      settings: { rate: 0.5 },
      combine: {
        kind: "custom",
        combine(values, _shares, into) {
          for (let i = 0; i < into.length; i++) into[i] = Math.max(...values.map((column) => column[i] ?? Number.NaN));
        },
      },
      step: {
        stateNames: ["before"],
        appliesTo: () => true,
        apply({ change, state: [before = change] }) {
          for (let i = 0; i < change.length; i++) before[i] = change[i] = (change[i] ?? Number.NaN) * 0.5;
        },
      },
    });
    const updates = [5, 1, 3].map((value, i) => ({ contributor: `site-${i}`, weight: 2, tensors: { w: [value, -value] } }));
    const { model, state } = carryOut(largest, { base: { w: [1, 1] }, updates, paramsType: "DIFF" });
    expect(model).toEqual({ w: [3.5, 0.5] });
    expect(state.tensors).toEqual({ w: { before: [2.5, -0.5] } });
  });

  it("refuses shares that cannot be computed with, by the strategy's name", () => {
    const broken = (shares: readonly Share[]) => customStrategy({ name: "broken", weigh: () => shares });
    const updates = sampleUpdates(seeded(91), 1, { w: 1 });
    const run = (shares: readonly Share[]) => carryOut(broken(shares), { base: { w: [0] }, updates, paramsType: "DIFF" });
    expect(run([{ factor: 2, weight: 4 }]).shares).toEqual([{ factor: 2, weight: 4 }]);
    expect(() => run([])).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-unfit", message: expect.stringContaining("broken gave") }),
    );
  });

  it("cannot be changed afterwards", () => {
    const settings = { rate: 1 };
    const strategy = customStrategy({ name: "mine", settings });
    settings.rate = 2;
    expect(strategy.settings).toEqual({ rate: 1 });
    expect(Object.isFrozen(strategy) && Object.isFrozen(strategy.settings) && Object.isFrozen(strategy.combine)).toBe(true);
  });

  it.each([
    [null, undefined, "A strategy must be an object."],
    [{ name: "mine", weight: () => [] }, "weight", 'A strategy has no member "weight"; did you mean "weigh"?'],
    [{ name: "mine", zzzzzzzz: 1 }, "zzzzzzzz", 'A strategy has no member "zzzzzzzz".'],
    [{ name: "Mine" }, "name", "must be lower-case words"],
    [{ name: "" }, "name", "must be lower-case words"],
    [{ name: "a".repeat(64) }, "name", "at most 63 characters"],
    [{ name: "krum" }, "name", "belongs to a strategy that is built in"],
    [{ name: "mine", settings: { a: Number.NaN } }, "settings", "must be finite numbers"],
    [{ name: "mine", settings: { a: [1] } }, "settings", "must be finite numbers"],
    [{ name: "mine", needs: { norm: true } }, "needs", "needs may hold norms and distances"],
    [{ name: "mine", needs: { paramsType: "BOTH" } }, "needs", '"FULL" or "DIFF"'],
    [{ name: "mine", combine: { kind: "sum" } }, "combine.kind", 'must be "mean", "median", "trimmed-mean" or "custom"'],
    [{ name: "mine", combine: { kind: "mean", divisor: 0 } }, "combine.divisor", "a number above 0"],
    [{ name: "mine", combine: { kind: "trimmed-mean", fraction: 0.5 } }, "combine.fraction", "at least 0 and below 0.5"],
    [{ name: "mine", combine: { kind: "custom" } }, "combine.combine", "must be a function"],
    [{ name: "mine", weigh: [] }, "weigh", "must be a function"],
    [{ name: "mine", combines: true }, "combines", "must be a function"],
    [{ name: "mine", step: { stateNames: ["a", "a"], appliesTo() {}, apply() {} } }, "step.stateNames", "different lower-case words"],
    [{ name: "mine", step: { stateNames: [], apply() {} } }, "step.appliesTo", "must be a function"],
    [{ name: "mine", step: { stateNames: [], appliesTo() {} } }, "step.apply", "must be a function"],
  ])("refuses %o", (description, path, message) => {
    expect(() => customStrategy(description as unknown as CustomStrategy)).toThrow(
      expect.objectContaining({
        code: "aggregate/strategy-invalid",
        problems: [expect.objectContaining({ ...(path === undefined ? {} : { path }), message: expect.stringContaining(message) })],
      }),
    );
  });
});
