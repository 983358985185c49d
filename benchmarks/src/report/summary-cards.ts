import { type FigureView, figureViews } from "../result/figure-view.ts";
import { errorText, megabytes, threeDigits, timesText } from "../result/number-text.ts";
import type { Point } from "../result/result.ts";
import { engineText, isMain, seriesOf, threadsText } from "./figure-name.ts";
import { element, type Markup } from "./markup.ts";

/** The answers that most come for: the fastest of each mode, the error of the default, the memory. */
export function summaryCards(point: Point): Markup {
  const main = figureViews(point).filter(({ figure }) => isMain(figure));
  const inMemory = main.filter(({ figure }) => figure.source === "memory");
  const compared = inMemory.length > 0 ? inMemory : main;
  const modes = [...new Set(compared.map(({ figure }) => figure.mode))];
  const fastest = modes.flatMap(
    (mode) => compared.filter(({ figure }) => figure.mode === mode).toSorted((a, b) => b.gbPerSecond - a.gbPerSecond)[0] ?? [],
  );
  const memory = point.memory
    .filter(({ group, addedBytes }) => group === "engine" && addedBytes !== null)
    .map(({ addedBytes }) => addedBytes ?? 0);
  return element(
    "ul",
    { class: "cards" },
    fastest.map(speedCard),
    memory.length === 0
      ? undefined
      : card("peak memory", `${megabytes(Math.max(...memory))} MB`, "other", [
          `at most, above the idle process, for ${megabytes(point.clients * point.updateBytes)} MB of updates in files`,
        ]),
  );
}

function speedCard({ figure, gbPerSecond, timesNumpy, timesTorch, shareOfRead }: FigureView): Markup {
  const ratios = [
    timesNumpy === undefined ? undefined : `${timesText(timesNumpy)} × NumPy`,
    timesTorch === undefined ? undefined : `${timesText(timesTorch)} × PyTorch`,
    shareOfRead === undefined ? undefined : `${(100 * shareOfRead).toFixed(0)}% of read`,
    figure.error === undefined ? undefined : `error ${errorText(figure.error.relative)}`,
  ].filter((text) => text !== undefined);
  return card(
    `${engineText(figure.engine, figure.mode)}, ${threadsText(figure.threads)}`,
    `${threeDigits(gbPerSecond)} GB/s`,
    `speed ${seriesOf(figure)}`,
    ratios,
  );
}

function card(name: string, value: string, classes: string, notes: readonly string[]): Markup {
  return element(
    "li",
    { class: `card ${classes}` },
    element("span", { class: "card-name" }, name),
    element("strong", {}, value),
    element(
      "span",
      { class: "card-note" },
      notes.map((note) => element("span", {}, note)),
    ),
  );
}
