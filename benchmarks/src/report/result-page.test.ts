import { expect, it } from "vitest";
import { sampleResult } from "../result/sample-result.test-support.ts";
import { resultPage } from "./result-page.ts";
import { linearScale, logScale } from "./scale.ts";
import { styles } from "./styles.ts";

const page = resultPage(sampleResult());
const noNumber = /="[^"]*(NaN|Infinity|undefined)|>[^<]*(NaN |Infinity|undefined)[^<]*<\/(text|tspan|td|desc)/;

it("asks nobody for anything", () => {
  expect(page).not.toMatch(/(src|href)="(?!#|data:,")/);
  expect(page).not.toMatch(/url\(|@import|<script/);
  expect(page).toContain("default-src 'none'");
});

it("is whole: every element that begins ends, in order", () => {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, end, name = ""] of page.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>/g)) {
    if (["meta", "link", "br"].includes(name)) continue;
    if (end !== "/") open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  expect({ open, wrong }).toEqual({ open: [], wrong: [] });
});

it("names every chart, table and part for those who do not see it", () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, names = ""] of page.matchAll(/aria-labelledby="([^"]+)"/g))
    for (const name of names.split(" ")) expect(ids).toContain(name);
  const charts = page.match(/<svg [^>]*role="img"[^>]*aria-labelledby=/g) ?? [];
  expect(charts).toHaveLength(page.match(/<svg /g)?.length ?? 0);
  expect(charts.length).toBeGreaterThan(10);
  expect(page.match(/<table>/g)).toHaveLength(page.match(/<caption /g)?.length ?? 0);
  for (const [, target = ""] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
});

it("has no coordinate that is not a number", () => {
  expect(page).not.toMatch(noNumber);
});

it("says the figures in words", () => {
  expect(page).toContain("wasm exact, 2 threads: 14.1 GB/s, 2.04 × NumPy");
  expect(page).toContain("36% of read");
  expect(page).toContain("wasm exact: 5.8e-8");
});

it("escapes what comes from elsewhere", () => {
  expect(page).toContain("torch.median was left out: &lt;not asked for&gt;");
  expect(resultPage(sampleResult({ cpu: `<b>"Fast" & cheap</b>` }))).toContain("&lt;b&gt;&quot;Fast&quot; &amp; cheap&lt;/b&gt;");
});

it("leaves out what was not measured", () => {
  const { points, ...rest } = sampleResult();
  const [point] = points;
  if (point === undefined) throw new Error("the sample has no size");
  const figures = point.figures
    .filter(({ group, source }) => group === "engine" && source === "files")
    .map((figure) => ({ ...figure, against: {} }));
  const bare = resultPage({ ...rest, python: null, points: [{ ...point, figures, memory: [] }] });
  expect(bare).not.toContain('id="bandwidth"');
  expect(bare).not.toContain('id="sweeps"');
  expect(bare).not.toContain('id="memory"');
  expect(bare).not.toMatch(noNumber);
  expect(bare).toContain("Whole sessions over files");
});

it("keeps text readable in both themes", () => {
  // WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what is drawn.
  for (const theme of themes()) {
    const contrasts = (names: readonly string[], ground: string): number => Math.min(...names.map((name) => contrast(theme, name, ground)));
    expect(contrasts(["ink", "soft", "accent", "mark"], "sheet")).toBeGreaterThanOrEqual(4.5);
    expect(contrasts(["ink", "soft", "accent"], "ground")).toBeGreaterThanOrEqual(4.5);
    expect(contrasts(["exact", "fast", "float64", "numpy", "torch", "machine", "other"], "sheet")).toBeGreaterThanOrEqual(3);
  }
});

function themes(): readonly ReadonlyMap<string, string>[] {
  return styles
    .split(":root {")
    .slice(1, 3)
    .map(
      (block) =>
        new Map(
          [...(block.split("}")[0] ?? "").matchAll(/--([a-z0-9]+): (#[0-9a-f]{6})/g)].map(([, name = "", colour = ""]) => [name, colour]),
        ),
    );
}

/** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(theme: ReadonlyMap<string, string>, a: string, b: string): number {
  const [dark = 0, light = 0] = [a, b].map((name) => luminance(theme.get(name) ?? "")).sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

it("axes end at round numbers and keep their values inside", () => {
  const linear = linearScale(24.9, [0, 100]);
  expect(linear.ticks).toEqual([0, 5, 10, 15, 20, 25]);
  expect([linear.at(0), linear.at(25)]).toEqual([0, 100]);
  expect(linearScale(0, [0, 100]).ticks.at(0)).toBe(0);
  const log = logScale([3, 4000], [0, 100]);
  expect(log.ticks).toEqual([10, 100, 1000]);
  expect(log.at(3)).toBeGreaterThan(0);
  expect(log.at(4000)).toBeLessThan(100);
  expect(logScale([5.8e-8, 2.6e-7], [0, 100]).ticks).toEqual([1e-7, 2e-7]);
  expect(logScale([0], [0, 100]).ticks).toContain(1);
});
