import { megabytes, threeDigits } from "../result/number-text.ts";
import type { BenchResult, MemoryFigure, Point } from "../result/result.ts";
import { axisCount, axisNumber } from "./axis-text.ts";
import { type Bar, barChart } from "./bar-chart.ts";
import { bothWidths } from "./chart.ts";
import { figureName, seriesOf } from "./figure-name.ts";
import { type Line, lineChart } from "./line-chart.ts";
import { element, type Markup } from "./markup.ts";
import { pointSweeps, type Sweep } from "./point-sweeps.ts";
import { figureBlock, type PageSection, section } from "./section.ts";

/** How much memory each takes, and whether it grows. */
export function memorySection(result: BenchResult): PageSection | undefined {
  const [point] = result.points;
  if (point === undefined || measured(point).length === 0) return undefined;
  const sweeps = pointSweeps(result).map((sweep) =>
    figureBlock(`Memory against ${sweep.name}`, sweepChart(sweep), `${sweep.fixed}; NumPy with the updates that it holds.`),
  );
  return section(
    "memory",
    "Memory",
    "The most that a process took while it aggregated: resident memory at its peak, above what it had before it began.",
    figureBlock(
      "Peak memory",
      bothWidths("memory-chart", (id, width) => peaks(id, width, point)),
    ),
    sweeps.length === 0 ? undefined : element("div", { class: "pair" }, sweeps),
  );
}

function measured({ memory }: Point): readonly (MemoryFigure & { readonly addedBytes: number })[] {
  return memory.flatMap((each) => (each.addedBytes === null ? [] : [{ ...each, addedBytes: each.addedBytes }]));
}

function peaks(id: string, width: number, point: Point): Markup {
  const bars = (group: MemoryFigure["group"]): readonly Bar[] =>
    measured(point)
      .filter((each) => each.group === group)
      .map((each) => ({
        ...named(each, point),
        value: each.addedBytes / 1e6,
        valueText: `${megabytes(each.addedBytes)} MB`,
        noteText: each.kernelBytes === null ? undefined : `kernels ${megabytes(each.kernelBytes)} MB`,
      }));
  const groups = [
    { name: "Engines, updates in files: above the idle process", bars: bars("engine") },
    {
      name: `NumPy and PyTorch: on top of the ${megabytes(point.clients * point.updateBytes)} MB of updates that they hold`,
      bars: bars("baseline"),
    },
  ].filter((group) => group.bars.length > 0);
  const description = groups
    .map((group) => `${group.name}. ${group.bars.map(({ name, valueText }) => `${name}: ${valueText}`).join("; ")}`)
    .join(". ");
  return barChart({
    text: { id, title: "Peak memory in megabytes", description: `${description}. One update has ${megabytes(point.updateBytes)} MB.` },
    width,
    groups,
    marks: [{ value: point.updateBytes / 1e6, name: `one update: ${megabytes(point.updateBytes)} MB` }],
    axis: "MB",
  });
}

/** Engines, and the first baseline in NumPy with its updates: what has to be held at all. */
function sweepChart({ key, name, points }: Sweep): Markup {
  const lines = new Map<string, Line>();
  for (const point of points) {
    const all = measured(point);
    const numpy = all.find(({ group }) => group === "baseline");
    for (const each of all.filter((one) => one.group === "engine" || one === numpy)) {
      const held = each.group === "baseline" ? point.clients * point.updateBytes : 0;
      const { name: lineName, series } = named(each, point);
      const line = lines.get(each.id) ?? { name: held === 0 ? lineName.replace(/ threads?$/, "T") : "NumPy", series, points: [] };
      lines.set(each.id, { ...line, points: [...line.points, { x: point[key], y: (held + each.addedBytes) / 1e6 }] });
    }
  }
  const all = [...lines.values()];
  const description = all
    .map((line) => `${line.name}: ${line.points.map(({ x, y }) => `${threeDigits(y)} at ${axisCount(x)}`).join(", ")}`)
    .join("; ");
  return lineChart({
    text: { id: `memory-${key}`, title: `Megabytes against ${name}`, description: `${description}.` },
    size: { width: 500, height: 330 },
    lines: all.map((line) => ({ ...line, points: line.points.map(({ x, y }) => ({ x, y: Math.max(y, 0.1) })) })),
    x: { name, text: axisCount },
    y: { name: "MB", text: axisNumber, isLog: true },
  });
}

function named(each: MemoryFigure, { figures }: Point): Pick<Bar, "name" | "series"> {
  const own = figures.find(({ id }) => id === each.id);
  return own === undefined ? { name: each.what, series: "other" } : { name: figureName(own), series: seriesOf(own) };
}
