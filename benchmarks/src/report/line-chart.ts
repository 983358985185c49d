import { type ChartText, chart, label, type Series, textWidth } from "./chart.ts";
import { element, fragment, type Markup } from "./markup.ts";
import { linearScale, logScale, type Scale, withTicks } from "./scale.ts";

/** One line. */
export interface Line {
  readonly name: string;
  readonly series: Series;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly range?: readonly [least: number, most: number] | undefined;
  }[];
}

export interface LineChartInit {
  readonly text: ChartText;
  readonly size: { readonly width: number; readonly height: number };
  readonly lines: readonly Line[];
  readonly x: { readonly name: string; readonly text: (value: number) => string };
  readonly y: { readonly name: string; readonly text: (value: number) => string; readonly isLog: boolean };
}

/** Lines over a logarithmic axis, each with its name at its end. */
export function lineChart({ text, size: { width, height }, lines, x, y }: LineChartInit): Markup {
  const nameWidth = Math.max(...lines.map(({ name }) => textWidth(name))) + 16;
  const frame = { left: 50, right: width - nameWidth, top: 28, bottom: height - 44 };
  const xs = [...new Set(lines.flatMap(({ points }) => points.map((point) => point.x)))].toSorted((a, b) => a - b);
  const ys = lines.flatMap(({ points }) => points.flatMap((point) => [point.y, ...(point.range ?? [])]));
  const across = xs.length <= 6 ? withTicks(logScale(xs, [frame.left, frame.right]), xs) : logScale(xs, [frame.left, frame.right]);
  const up = y.isLog ? logScale(ys, [frame.bottom, frame.top]) : linearScale(Math.max(...ys), [frame.bottom, frame.top]);
  return chart(
    text,
    { width, height },
    up.ticks.map((tick) =>
      fragment(
        element("line", { x1: frame.left, x2: frame.right, y1: up.at(tick), y2: up.at(tick), class: "grid" }),
        label(frame.left - 7, up.at(tick) + 4, y.text(tick), { class: "tick", "text-anchor": "end" }),
      ),
    ),
    across.ticks.map((tick) =>
      fragment(
        element("line", { x1: across.at(tick), x2: across.at(tick), y1: frame.bottom, y2: frame.bottom + 4, class: "axis-line" }),
        label(across.at(tick), frame.bottom + 18, x.text(tick), { class: "tick", "text-anchor": "middle" }),
      ),
    ),
    element("line", { x1: frame.left, x2: frame.right, y1: frame.bottom, y2: frame.bottom, class: "axis-line" }),
    label(0, 14, y.name, { class: "axis" }),
    label((frame.left + frame.right) / 2, height - 8, x.name, { class: "axis", "text-anchor": "middle" }),
    lines.map((line) => drawnLine(line, across, up)),
    endLabels(lines, across, up, frame),
  );
}

function drawnLine({ series, points }: Line, across: Scale, up: Scale): Markup {
  const at = points.toSorted((a, b) => a.x - b.x).map((point) => ({ x: across.at(point.x), y: up.at(point.y), range: point.range }));
  return element(
    "g",
    { class: `series ${series}` },
    element("polyline", { points: at.map((point) => `${point.x.toFixed(1)},${point.y.toFixed(1)}`).join(" "), class: "stroke" }),
    at.map(
      (point) =>
        point.range &&
        element("line", { x1: point.x, x2: point.x, y1: up.at(point.range[0]), y2: up.at(point.range[1]), class: "whisker" }),
    ),
    at.map((point) => marker(series, point.x, point.y)),
  );
}

/** Each series has a form of its own too, for those who do not tell colours apart. */
function marker(series: Series, x: number, y: number): Markup {
  const path = {
    exact: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    fast: "M0 -5L5 4H-5z",
    float64: "M0 -5L5 0L0 5L-5 0z",
    numpy: "M-4 -4H4V4H-4z",
    torch: "M-4 -4L4 4M-4 4L4 -4",
    machine: "M-4 0H4",
    other: "M0 -4V4M-4 0H4",
  }[series];
  return element("path", { d: path, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`, class: "marker" });
}

function endLabels(
  lines: readonly Line[],
  across: Scale,
  up: Scale,
  { right, top, bottom }: { readonly right: number; readonly top: number; readonly bottom: number },
): Markup {
  const height = 15;
  const placed = lines
    .flatMap(({ name, series, points }) => {
      const last = points.toSorted((a, b) => a.x - b.x).at(-1);
      return last === undefined ? [] : [{ name, series, x: across.at(last.x), y: up.at(last.y) }];
    })
    .toSorted((a, b) => a.y - b.y)
    .map((each) => ({ ...each, labelY: each.y }));
  // Downwards each keeps its distance from the one above; then upwards, so that none falls out of the frame.
  for (const [i, each] of placed.entries()) each.labelY = Math.max(each.labelY, (placed[i - 1]?.labelY ?? top - height) + height);
  for (const [i, each] of [...placed.entries()].toReversed())
    each.labelY = Math.min(each.labelY, (placed[i + 1]?.labelY ?? bottom + height) - height);
  return fragment(
    placed.map(({ name, series, x, y, labelY }) =>
      element(
        "g",
        { class: `series ${series}` },
        element("path", { d: `M${(x + 6).toFixed(1)} ${y.toFixed(1)}L${(right + 6).toFixed(1)} ${labelY.toFixed(1)}`, class: "leader" }),
        label(right + 9, labelY + 4, name, { class: "line-name" }),
      ),
    ),
  );
}
