import { type FigureView, figureViews, gbPerSecond } from "../result/figure-view.ts";
import { threeDigits, timesText } from "../result/number-text.ts";
import type { Figure, Point } from "../result/result.ts";
import { type Bar, barChart, type Mark } from "./bar-chart.ts";
import { bothWidths } from "./chart.ts";
import { figureName, isMain, seriesOf } from "./figure-name.ts";
import type { Markup } from "./markup.ts";
import { figureBlock, type PageSection, section } from "./section.ts";

/** Engines beside NumPy and PyTorch: how many bytes of updates each combines in a second. */
export function speedSection(point: Point): PageSection {
  const views = figureViews(point);
  const inMemory = views.filter(({ figure }) => figure.source === "memory" && (isMain(figure) || isMeanBaseline(figure)));
  const overFiles = views.filter(({ figure }) => figure.source === "files" && (isMain(figure) || figure.group === "baseline"));
  return section(
    "speed",
    "Side by side",
    "Bytes of all updates, once, divided by the time: the median of all runs, with the fastest and the slowest. The ratio is to NumPy and is taken run by run, from what ran in the same second.",
    inMemory.length === 0 ? undefined : figureBlock("Updates in memory", bars("memory", inMemory, [], "GB/s of updates in memory")),
    overFiles.length === 0
      ? undefined
      : figureBlock(
          "Whole sessions over files",
          bars("files", overFiles, [], "GB/s of updates in files"),
          "Files lie in the page cache. The engines read each update, check it for NaN, infinity, shapes and types, combine all, hash the result and write it; NumPy reads, adds and writes.",
        ),
  );
}

/** Engines against what the machine's memory can give. */
export function bandwidthSection(point: Point): PageSection | undefined {
  const views = figureViews(point);
  const inMemory = views.filter(({ figure: each }) => each.source === "memory" && isMain(each));
  const marks = point.figures
    .filter(({ id }) => /^machine\/(read|triad)\//.test(id))
    .map(
      (each): Mark => ({
        value: gbPerSecond(each),
        name: `${each.id.includes("triad") ? "triad" : "read"} ${each.threads}T: ${threeDigits(gbPerSecond(each))}`,
      }),
    );
  if (inMemory.length === 0 || marks.length === 0) return undefined;
  const shares = inMemory.map((view) => ({
    ...view,
    note: view.shareOfRead === undefined ? undefined : `${(100 * view.shareOfRead).toFixed(0)}% of read`,
  }));
  return section(
    "bandwidth",
    "Against the machine",
    "A weighted mean needs few operations for each byte, so memory limits it. The lines are what this machine gives, measured in turns with everything else: reading alone, and the triad a = b + s × c, which moves two arrays in and one out; 1T and 2T are threads.",
    figureBlock(
      "Share of what memory can give",
      bothWidths("roofline", (id, width) =>
        barChart({
          text: {
            id,
            title: "Engines against the bandwidth of the machine's memory",
            description: `${shares.map(({ figure: each, note }) => `${figureName(each)}: ${note ?? "unknown"}`).join("; ")}. Lines: ${marks.map(({ name }) => `${name} GB/s`).join("; ")}.`,
          },
          width,
          groups: [{ name: "", bars: shares.map((view) => bar(view, view.note)) }],
          marks,
          axis: "GB/s",
        }),
      ),
    ),
  );
}

function bars(id: string, views: readonly FigureView[], marks: readonly Mark[], axis: string): Markup {
  const noteOf = ({ timesNumpy, figure: each }: FigureView): string | undefined =>
    each.group === "engine" && timesNumpy !== undefined ? `${timesText(timesNumpy)} × NumPy` : undefined;
  const fastestFirst = views.toSorted((a, b) => b.gbPerSecond - a.gbPerSecond);
  return bothWidths(id, (chartId, width) =>
    barChart({
      text: {
        id: chartId,
        title: axis,
        description: `${fastestFirst.map((view) => `${figureName(view.figure)}: ${threeDigits(view.gbPerSecond)} GB/s${noteOf(view) === undefined ? "" : `, ${noteOf(view)}`}`).join("; ")}.`,
      },
      width,
      groups: [{ name: "", bars: fastestFirst.map((view) => bar(view, noteOf(view))) }],
      marks,
      axis,
    }),
  );
}

function bar({ figure: each, ms, gbPerSecond: speed }: FigureView, noteText: string | undefined): Bar {
  const range = [each.bytes / 1e6 / ms.max, each.bytes / 1e6 / ms.min] as const;
  return { name: figureName(each), series: seriesOf(each), value: speed, range, valueText: `${threeDigits(speed)} GB/s`, noteText };
}

function isMeanBaseline({ group, source }: Figure): boolean {
  return group === "baseline" && source === "memory";
}
