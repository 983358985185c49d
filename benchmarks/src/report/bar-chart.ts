import { type ChartText, chart, label, type Series, textWidth, wrapped } from "./chart.ts";
import { element, fragment, type Markup } from "./markup.ts";
import { linearScale } from "./scale.ts";

/** One bar. */
export interface Bar {
  readonly name: string;
  readonly series: Series;
  readonly value: number;
  /** Smallest and largest value, drawn as a whisker. */
  readonly range?: readonly [least: number, most: number] | undefined;
  /** Beside the bar's end: the value with its unit, and what it means. */
  readonly valueText: string;
  readonly noteText?: string | undefined;
}

/** A line through all bars to hold them against. */
export interface Mark {
  readonly value: number;
  readonly name: string;
}

export interface BarChartInit {
  readonly text: ChartText;
  readonly width: number;
  readonly groups: readonly { readonly name: string; readonly bars: readonly Bar[] }[];
  readonly marks: readonly Mark[];
  readonly axis: string;
}

/** Horizontal bars from zero, in groups, with lines to hold them against. */
export function barChart({ text, width, groups, marks, axis }: BarChartInit): Markup {
  const isNarrow = width < 600;
  const rowHeight = isNarrow ? 42 : 28;
  const all = groups.flatMap(({ bars }) => bars);
  const nameWidth = isNarrow ? 0 : Math.min(330, Math.max(...all.map(({ name }) => textWidth(name))) + 14);
  const valueWidth = Math.max(...all.map(({ valueText, noteText = "" }) => textWidth(`${valueText} ${isNarrow ? "" : noteText}`))) + 16;
  const left = nameWidth;
  const right = width - valueWidth;
  // Labels of marks that lie close together go into rows of their own.
  const most = Math.max(...all.map(({ value, range }) => range?.[1] ?? value), ...marks.map(({ value }) => value));
  const scale = linearScale(most, [left, right], isNarrow ? 3 : 6);
  const markRows = placeMarks(
    marks.map((mark) => ({ ...mark, x: scale.at(mark.value) })),
    width,
  );
  const top = 8 + 16 * (Math.max(-1, ...markRows.map(({ row }) => row)) + 1);
  const shapes: Markup[] = [];
  const texts: Markup[] = [];
  let y = top;
  for (const { name, bars } of groups) {
    if (name !== "") {
      y += 6;
      for (const line of wrapped(name, 0.85 * width)) {
        texts.push(label(0, y + 12, line, { class: "group" }));
        y += 18;
      }
    }
    for (const bar of bars) {
      const place = { y, isNarrow, rowHeight, left, at: (value: number) => scale.at(value) };
      shapes.push(barShape(bar, place));
      texts.push(barText(bar, place));
      y += rowHeight;
    }
    y += 6;
  }
  const bottom = y;
  const height = bottom + 40;
  return chart(
    text,
    { width, height },
    scale.ticks.map((tick) =>
      fragment(
        element("line", { x1: scale.at(tick), x2: scale.at(tick), y1: top, y2: bottom, class: "grid" }),
        label(scale.at(tick), bottom + 16, String(tick), { class: "tick", "text-anchor": "middle" }),
      ),
    ),
    label((left + right) / 2, bottom + 34, axis, { class: "axis", "text-anchor": "middle" }),
    shapes,
    markRows.map(({ x, row }) => element("line", { x1: x, x2: x, y1: 16 * row + 4, y2: bottom, class: "mark" })),
    // Last, so that no line runs through a text.
    markRows.map(({ x, name, row, anchor }) =>
      label(x + (anchor === "start" ? 5 : -5), 16 * row + 14, name, { class: "mark-name", "text-anchor": anchor }),
    ),
    texts,
  );
}

interface BarPlace {
  readonly y: number;
  readonly isNarrow: boolean;
  readonly rowHeight: number;
  readonly left: number;
  readonly at: (value: number) => number;
}

function barShape({ series, value, range }: Bar, place: BarPlace): Markup {
  const { left, at } = place;
  const { top, height, middle } = extent(place);
  return fragment(
    element("rect", { x: left, y: top, width: Math.max(1, at(value) - left), height, rx: 2, class: `fill ${series}` }),
    range &&
      element("path", {
        d: `M${at(range[0]).toFixed(1)} ${middle}H${at(range[1]).toFixed(1)}M${at(range[0]).toFixed(1)} ${middle - 4}v8M${at(range[1]).toFixed(1)} ${middle - 4}v8`,
        class: "whisker",
      }),
  );
}

function barText({ name, value, range, valueText, noteText }: Bar, place: BarPlace): Markup {
  const { y, isNarrow, left, at } = place;
  const { middle } = extent(place);
  return fragment(
    isNarrow
      ? label(left, y + 14, noteText === undefined ? name : `${name} · ${noteText}`, { class: "name" })
      : label(left - 10, middle + 4, name, { class: "name", "text-anchor": "end" }),
    element(
      "text",
      { x: Math.max(left, at(value), at(range?.[1] ?? value)) + 7, y: middle + 4 },
      element("tspan", { class: "value" }, valueText),
      isNarrow || noteText === undefined ? undefined : element("tspan", { class: "note", dx: 7 }, noteText),
    ),
  );
}

function extent({ y, isNarrow, rowHeight }: BarPlace): { readonly top: number; readonly height: number; readonly middle: number } {
  const height = isNarrow ? 15 : 17;
  const top = isNarrow ? y + 20 : y + (rowHeight - height) / 2;
  return { top, height, middle: top + height / 2 };
}

interface PlacedMark extends Mark {
  readonly x: number;
  readonly row: number;
  readonly anchor: "start" | "end";
}

function placeMarks(marks: readonly (Mark & { readonly x: number })[], width: number): readonly PlacedMark[] {
  const ends: number[] = [];
  return marks
    .toSorted((a, b) => a.x - b.x)
    .map((mark) => {
      const length = textWidth(mark.name) + 8;
      const anchor = mark.x + length > width ? "end" : "start";
      const from = anchor === "start" ? mark.x : mark.x - length;
      let row = ends.findIndex((end) => end < from);
      if (row === -1) row = ends.length;
      ends[row] = from + length;
      return { ...mark, row, anchor };
    });
}
