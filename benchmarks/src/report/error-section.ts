import { errorText } from "../result/number-text.ts";
import type { Figure, Point } from "../result/result.ts";
import { bothWidths } from "./chart.ts";
import { type Dot, dotChart } from "./dot-chart.ts";
import { engineText, seriesOf } from "./figure-name.ts";
import { figureBlock, type PageSection, section } from "./section.ts";

/** How far each is from exact arithmetic. */
export function errorSection(point: Point): PageSection | undefined {
  const dots = new Map<string, Dot>();
  for (const each of point.figures) {
    const { error } = each;
    // Threads change no bit of an engine, and the kernels alone are the engine's.
    if (error === undefined || each.id.startsWith("kernels/")) continue;
    const name = nameOf(each);
    if (!dots.has(name)) dots.set(name, { name, series: seriesOf(each), value: error.relative, valueText: errorText(error.relative) });
  }
  if (dots.size === 0) return undefined;
  const sorted = [...dots.values()].toSorted((a, b) => a.value - b.value);
  const elements = point.figures.find(({ error }) => error !== undefined)?.error?.elements ?? 0;
  return section(
    "error",
    "Error",
    `The largest difference from exact arithmetic on ${elements} elements, in shares of the mean magnitude of the values that went in: Σ weight × |value| / Σ weight. Sums are compared as rational numbers of any length.`,
    figureBlock(
      "Largest error",
      bothWidths("error-chart", (id, width) =>
        dotChart({
          text: {
            id,
            title: "Largest error against exact arithmetic",
            description: `${sorted.map(({ name, valueText }) => `${name}: ${valueText}`).join("; ")}.`,
          },
          width,
          dots: sorted,
          mark: { value: 2 ** -24, name: "2⁻²⁴: half a unit of float32" },
          axis: "share of the mean magnitude (logarithmic)",
          tickText: (value) => value.toExponential(0).replace("e-", "e−"),
        }),
      ),
    ),
  );
}

function nameOf({ group, what, engine, mode }: Figure): string {
  return group === "engine" ? engineText(engine, mode) : what;
}
