import { type FigureView, figureViews } from "../result/figure-view.ts";
import { countText, errorText, megabytes, millisecondsText, sizeText, threeDigits, timesText } from "../result/number-text.ts";
import type { BenchResult, Point } from "../result/result.ts";
import { engineText } from "./figure-name.ts";
import { element, type Markup } from "./markup.ts";
import { type PageSection, section } from "./section.ts";

/** Every figure of every size; all but the first size are folded away. */
export function tableSection({ points }: BenchResult): PageSection {
  return section(
    "tables",
    "All figures",
    "Milliseconds are medians with the smallest and the largest; ratios are medians over runs. Whole sessions are held against NumPy over files, and against reading files. The error is the largest, in shares of the mean magnitude.",
    points.map((point, i) => {
      const name = `${point.clients} updates of ${countText(point.params)} parameters`;
      const tables = [figureTable(point, i), ...(point.memory.length === 0 ? [] : [memoryTable(point, i)])];
      return i === 0 ? tables : element("details", {}, element("summary", {}, name), tables);
    }),
  );
}

function figureTable(point: Point, index: number): Markup {
  const heads = ["what", "mode", "threads", "ms", "GB/s", "× NumPy", "× PyTorch", "of read", "error"];
  const rows = figureViews(point).map((view) => [...namesOf(view), ...numbersOf(view)]);
  return table(`figures-${index}`, `Time: ${sizeText(point)}`, heads, rows, 2);
}

function memoryTable({ memory }: Point, index: number): Markup {
  const rows = memory.map(({ what, kernelBytes, addedBytes }) => [what, megabytes(addedBytes), megabytes(kernelBytes)]);
  return table(`memory-${index}`, "Memory", ["what", "peak MB", "of it kernels MB"], rows, 1);
}

function namesOf({ figure: { group, what, engine, mode, source } }: FigureView): readonly string[] {
  if (group !== "engine") return [group === "machine" && source === "memory" ? `memory: ${what}` : what, ""];
  return [`${engineText(engine, mode)}: ${what}`.replace(` ${mode ?? ""}:`, ":"), mode ?? ""];
}

function numbersOf({ figure, ms, gbPerSecond, timesNumpy, timesTorch, shareOfRead }: FigureView): readonly string[] {
  return [
    String(figure.threads),
    millisecondsText(ms),
    threeDigits(gbPerSecond),
    timesText(timesNumpy),
    timesText(timesTorch),
    shareOfRead === undefined ? "" : `${(100 * shareOfRead).toFixed(0)}%`,
    errorText(figure.error?.relative),
  ];
}

/** A table that can be scrolled by keyboard where it is wider than the screen. */
function table(id: string, caption: string, heads: readonly string[], rows: readonly (readonly string[])[], textColumns: number): Markup {
  return element(
    "div",
    { class: "scroll", role: "region", "aria-labelledby": id, tabindex: 0 },
    element(
      "table",
      {},
      element("caption", { id }, caption),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          heads.map((head, i) => element("th", { scope: "col", class: i < textColumns ? undefined : "number" }, head)),
        ),
      ),
      element(
        "tbody",
        {},
        rows.map((row) =>
          element(
            "tr",
            {},
            row.map((cell, i) =>
              i === 0 ? element("th", { scope: "row" }, cell) : element("td", { class: i < textColumns ? undefined : "number" }, cell),
            ),
          ),
        ),
      ),
    ),
  );
}
