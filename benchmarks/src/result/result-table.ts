import { type FigureView, figureViews } from "./figure-view.ts";
import { errorText, gigabytesPerSecond, megabytes, millisecondsText, sizeText, timesText } from "./number-text.ts";
import type { BenchResult, Point } from "./result.ts";
import { textColumns } from "./text-columns.ts";

/** A result as text for a terminal: one table for each size. */
export function resultTable(result: BenchResult): string {
  const { settings, environment, python, devices, notes } = result;
  const blas =
    python === null
      ? ""
      : `, ${python.blas.library}${python.blas.core === null ? "" : ` (${python.blas.core})`}, threads: ${python.blas.threads ?? "?"}`;
  return [
    `${environment.cpu}, ${environment.cores} cores, Node ${environment.node}`,
    ...(python === null
      ? []
      : [`Python ${python.python}, NumPy ${python.numpy}, ${python.torch === null ? "no PyTorch" : `PyTorch ${python.torch}`}${blas}`]),
    ...Object.entries(devices).map(([name, device]) => `${name}: ${device}`),
    `${settings.strategy}, ${settings.layout}, ${settings.dtype}, ${settings.runs} runs: medians (smallest–largest)`,
    "",
    ...result.points.flatMap((point) => [...pointLines(point), ""]),
    "GB/s: 10^9 bytes of all updates, once, a second; for the machine, of all bytes moved. Ratios are medians over runs of what ran side by side.",
    "Error: largest difference from exact arithmetic, in shares of the mean magnitude of the values that went in.",
    ...notes.map((note) => `Note: ${note}`),
    "",
  ].join("\n");
}

function pointLines(point: Point): readonly string[] {
  const rows = [
    ["", "threads", "ms", "GB/s", "x NumPy", "x PyTorch", "of read", "error"],
    ...figureViews(point).map((view) => [labelOf(view), ...cellsOf(view)]),
  ];
  const memory = [
    ["memory", "kernels MB", "peak above idle MB"],
    ...point.memory.map(({ what, kernelBytes, addedBytes }) => [what, megabytes(kernelBytes), megabytes(addedBytes)]),
  ];
  return [sizeText(point), ...textColumns(rows), "", ...textColumns(memory)];
}

function labelOf({ figure }: FigureView): string {
  const { group, what, source, engine, mode } = figure;
  if (group === "engine") return `${engine ?? ""}${mode === undefined || engine?.endsWith(mode) === true ? "" : `, ${mode}`}: ${what}`;
  return group === "machine" && source === "memory" ? `memory: ${what}` : what;
}

function cellsOf({ figure, ms, timesNumpy, timesTorch, shareOfRead }: FigureView): readonly string[] {
  return [
    String(figure.threads),
    millisecondsText(ms),
    gigabytesPerSecond(figure.bytes, ms.median),
    timesText(timesNumpy),
    timesText(timesTorch),
    shareOfRead === undefined ? "" : `${(100 * shareOfRead).toFixed(0)}%`,
    errorText(figure.error?.relative),
  ];
}
