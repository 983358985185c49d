import { type Summary, summarize } from "../statistics.ts";
import type { Figure, Point } from "./result.ts";

/** A figure as it is shown. */
export interface FigureView {
  readonly figure: Figure;
  readonly ms: Summary;
  /** 10^9 bytes of all updates a second, at the median. */
  readonly gbPerSecond: number;
  /** How many times as fast as NumPy: the median over runs of what stands side by side in time. */
  readonly timesNumpy: number | undefined;
  readonly timesTorch: number | undefined;
  /** Share of the bandwidth at which memory can be read, on as many threads. */
  readonly shareOfRead: number | undefined;
}

/** All figures of a point as they are shown. */
export function figureViews(point: Point): readonly FigureView[] {
  return point.figures.map((figure) => ({
    figure,
    ms: summarize(figure.samplesMs),
    gbPerSecond: gbPerSecond(figure),
    timesNumpy: median(speedRatios(point, figure, "numpy")),
    timesTorch: median(speedRatios(point, figure, "torch")),
    shareOfRead: median(speedRatios(point, figure, "read")),
  }));
}

/** 10^9 bytes a second at the median. */
export function gbPerSecond({ bytes, samplesMs }: Figure): number {
  return bytes / 1e6 / summarize(samplesMs).median;
}

/**
 * For each run, how many times the bandwidth of what a figure is held against it reaches; bytes may differ, as when memory is read
 * that is not the updates'. `undefined` where there is nothing to hold it against.
 */
export function speedRatios(point: Point, figure: Figure, against: keyof Figure["against"]): readonly number[] | undefined {
  const other = point.figures.find(({ id }) => id === figure.against[against]);
  return other && figure.samplesMs.map((ms, run) => (figure.bytes / ms) * ((other.samplesMs[run] ?? Number.NaN) / other.bytes));
}

function median(values: readonly number[] | undefined): number | undefined {
  return values && summarize(values).median;
}
