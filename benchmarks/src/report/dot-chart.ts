import { type ChartText, chart, label, type Series, textWidth } from "./chart.ts";
import { element, fragment, type Markup } from "./markup.ts";
import { logScale } from "./scale.ts";

/** One dot; zero lies at the left edge, as a logarithmic axis has none. */
export interface Dot {
  readonly name: string;
  readonly series: Series;
  readonly value: number;
  readonly valueText: string;
}

export interface DotChartInit {
  readonly text: ChartText;
  readonly width: number;
  readonly dots: readonly Dot[];
  readonly mark: { readonly value: number; readonly name: string };
  readonly axis: string;
  readonly tickText: (value: number) => string;
}

/** Dots on a logarithmic axis, one to a row, with a line to hold them against. */
export function dotChart({ text, width, dots, mark, axis, tickText }: DotChartInit): Markup {
  const isNarrow = width < 600;
  const rowHeight = isNarrow ? 40 : 26;
  const left = isNarrow ? 10 : Math.min(330, Math.max(...dots.map(({ name }) => textWidth(name))) + 24);
  const right = width - 70;
  const top = 28;
  const bottom = top + rowHeight * dots.length + 6;
  const scale = logScale([...dots.map(({ value }) => value), mark.value], [left, right]);
  const markX = scale.at(mark.value);
  return chart(
    text,
    { width, height: bottom + 40 },
    scale.ticks.map((tick) =>
      fragment(
        element("line", { x1: scale.at(tick), x2: scale.at(tick), y1: top, y2: bottom, class: "grid" }),
        label(scale.at(tick), bottom + 16, tickText(tick), { class: "tick", "text-anchor": "middle" }),
      ),
    ),
    label((left + right) / 2, bottom + 34, axis, { class: "axis", "text-anchor": "middle" }),
    element("line", { x1: markX, x2: markX, y1: top - 18, y2: bottom, class: "mark" }),
    label(markX + (markX > width / 2 ? -5 : 5), top - 6, mark.name, {
      class: "mark-name",
      "text-anchor": markX > width / 2 ? "end" : "start",
    }),
    dots.map(({ name, series, value, valueText }, i) => {
      const y = top + rowHeight * i + (isNarrow ? 27 : rowHeight / 2);
      const x = value > 0 ? scale.at(value) : left;
      return fragment(
        isNarrow ? label(0, y - 12, name, { class: "name" }) : label(left - 16, y + 4, name, { class: "name", "text-anchor": "end" }),
        element("line", { x1: left, x2: x, y1: y, y2: y, class: `stem series ${series}` }),
        element("circle", { cx: x, cy: y, r: 5.5, class: `fill ${series}` }),
        label(x + 10, y + 4, valueText, { class: "value" }),
      );
    }),
  );
}
