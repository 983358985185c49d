import { figureViews } from "../result/figure-view.ts";
import { threeDigits } from "../result/number-text.ts";
import type { BenchResult, Figure, Point } from "../result/result.ts";
import { axisCount, axisNumber } from "./axis-text.ts";
import { engineText, isMain, seriesOf } from "./figure-name.ts";
import { type Line, lineChart } from "./line-chart.ts";
import { element, type Markup } from "./markup.ts";
import { pointSweeps, type Sweep } from "./point-sweeps.ts";
import { figureBlock, type PageSection, section } from "./section.ts";

/** Time and speed against the number and the size of updates, as far as these were swept. */
export function sweepSection(result: BenchResult): PageSection | undefined {
  const sweeps = pointSweeps(result);
  if (sweeps.length === 0) return undefined;
  return section(
    "sweeps",
    "Against number and size",
    "Updates in memory, on the most threads that were measured; medians, with the fastest and the slowest run. Both axes of time are logarithmic: time in proportion is a straight line.",
    sweeps.map((sweep) =>
      element(
        "div",
        { class: "pair" },
        figureBlock(`Time against ${sweep.name}`, sweepChart(sweep, "ms"), `${sweep.fixed}.`),
        figureBlock(`Speed against ${sweep.name}`, sweepChart(sweep, "gbPerSecond"), `${sweep.fixed}.`),
      ),
    ),
  );
}

/** What is worth a line: engines on the most threads, what they are held against, and reading memory. */
function chosen({ figures }: Point): ReadonlySet<string> {
  const inMemory = figures.filter((each) => isMain(each) && each.source === "memory");
  const main = inMemory.length > 0 ? inMemory : figures.filter(isMain);
  const mostOf = (engine: string | undefined): number =>
    Math.max(...main.filter((each) => each.engine === engine).map(({ threads }) => threads));
  const ours = main.filter(({ threads, engine }) => threads === mostOf(engine));
  return new Set(ours.flatMap(({ id, against }) => [id, ...Object.values(against).filter((other) => other !== undefined)]));
}

function sweepChart({ key, name, points }: Sweep, value: "ms" | "gbPerSecond"): Markup {
  const lines = new Map<string, Line>();
  for (const point of points) {
    const wanted = chosen(point);
    for (const { figure: each, ms, gbPerSecond } of figureViews(point)) {
      // The machine's memory is not the updates': its time says nothing beside theirs.
      if (!wanted.has(each.id) || (value === "ms" && each.group === "machine")) continue;
      const speed = (milliseconds: number): number => each.bytes / 1e6 / milliseconds;
      const y = value === "ms" ? ms.median : gbPerSecond;
      const range = value === "ms" ? ([ms.min, ms.max] as const) : ([speed(ms.max), speed(ms.min)] as const);
      const line = lines.get(each.id) ?? { name: lineName(each), series: seriesOf(each), points: [] };
      lines.set(each.id, { ...line, points: [...line.points, { x: point[key], y, range }] });
    }
  }
  const all = [...lines.values()];
  const unit = value === "ms" ? "milliseconds" : "GB/s";
  const description = all
    .map((line) => `${line.name}: ${line.points.map(({ x, y }) => `${threeDigits(y)} at ${axisCount(x)}`).join(", ")}`)
    .join("; ");
  return lineChart({
    text: { id: `${value === "ms" ? "time" : "speed"}-${key}`, title: `${unit} against ${name}`, description: `${description}.` },
    size: { width: 500, height: 330 },
    lines: all,
    x: { name, text: axisCount },
    y: { name: unit, text: axisNumber, isLog: value === "ms" },
  });
}

function lineName({ group, what, engine, mode, threads }: Figure): string {
  if (group === "machine") return `memory: read, ${threads}T`;
  return group === "baseline" ? `${what.replace(/:.*/, "")}, ${threads}T` : `${engineText(engine, mode)}, ${threads}T`;
}
