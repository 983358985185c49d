import type uPlot from "uplot";
import { seriesColor } from "./series-colors.js";

/** One line of a plot. */
export interface PlotSeries {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** Drawn thick and in ink: the one that the others are compared with. */
  readonly isMain?: boolean;
  /** Drawn as points that no line joins: each value stands by itself. */
  readonly isDotted?: boolean;
}

export interface CurveOptionsInit {
  readonly series: readonly PlotSeries[];
  readonly hidden: ReadonlySet<string>;
  readonly scheme: "light" | "dark";
  readonly width: number;
  readonly height: number;
  readonly xLabel: string;
  readonly isTime: boolean;
  readonly onCursor: (index: number | null) => void;
}

/** Colour of a series, the main one in ink. */
export function colorOf(series: readonly PlotSeries[], index: number, scheme: "light" | "dark"): string {
  if (series[index]?.isMain === true) return scheme === "light" ? "#171d25" : "#f0f4f8";
  const mains = series.slice(0, index).filter(({ isMain }) => isMain).length;
  return seriesColor(index - mains, scheme);
}

/** What uPlot is told: thin axes, a line for each series, the legend left to the page. */
export function curveOptions(init: CurveOptionsInit): uPlot.Options {
  const { series, hidden, scheme, width, height, xLabel, isTime, onCursor } = init;
  const ink = scheme === "light" ? "#5a6676" : "#98a4b3";
  const grid = scheme === "light" ? "#e9edf2" : "#242c36";
  const font = "11px ui-sans-serif, system-ui, sans-serif";
  const isCrowded = series.length > 12;
  return {
    width,
    height,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    focus: { alpha: 0.25 },
    cursor: { focus: { prox: 24 }, points: { size: 7 }, drag: { x: true, y: false, setScale: true } },
    scales: { x: { time: isTime } },
    axes: [
      {
        stroke: ink,
        font,
        label: xLabel,
        labelFont: font,
        labelSize: 18,
        size: 28,
        grid: { show: false },
        ticks: { stroke: grid, size: 4 },
        ...(isTime ? {} : { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 1_000_000] }),
      },
      { stroke: ink, font, size: 54, grid: { stroke: grid, width: 1 }, ticks: { show: false } },
    ],
    series: [
      {},
      ...series.map(
        ({ name, isMain, isDotted, values }, index): uPlot.Series => ({
          label: name,
          show: !hidden.has(name),
          stroke: colorOf(series, index, scheme),
          width: isMain === true ? 2.5 : isCrowded ? 1 : 1.5,
          spanGaps: isDotted !== true,
          points: {
            // A line of one point is seen only as a point.
            show: isDotted === true || (values.filter((value) => value !== null).length < 40 && !isCrowded),
            size: isMain === true || isDotted === true ? 6 : 4,
            ...(isDotted === true ? { fill: colorOf(series, index, scheme) } : {}),
          },
        }),
      ),
    ],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
}
