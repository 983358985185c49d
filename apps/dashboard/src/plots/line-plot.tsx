import "uplot/dist/uPlot.min.css";
import { Group, Switch, Text, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useId, useRef, useState } from "react";
import uPlot from "uplot";
import { curveOptions, type PlotSeries } from "./curve-options.js";
import classes from "./line-plot.module.css";
import { PlotLegend } from "./plot-legend.js";
import { PlotTable } from "./plot-table.js";

export interface LinePlotProps {
  /** What the curves show; the heading of plot and table. */
  readonly title: string;
  /** What x is, such as `round`. */
  readonly xLabel: string;
  readonly x: readonly number[];
  readonly series: readonly PlotSeries[];
  /** Whether x is in seconds since the epoch. @default false */
  readonly isTime?: boolean;
  /** In pixels. @default 260 */
  readonly height?: number;
}

/** Curves that follow their data, with a legend that hides and shows them, and the same figures as a table. */
export function LinePlot({ title, xLabel, x, series, isTime = false, height = 260 }: LinePlotProps) {
  const scheme = useComputedColorScheme("light");
  const { ref: frame, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<number | null>(null);
  const [isTable, setTable] = useState(false);
  const headingId = useId();
  const names = series
    .map(({ name, isMain, isDotted }) => `${name}${isMain === true ? "*" : ""}${isDotted === true ? "." : ""}`)
    .join("\n");
  const isReady = width > 0 && x.length > 0 && !isTable;
  const latest = useRef({ x, series, hidden });
  useEffect(() => {
    latest.current = { x, series, hidden };
  });

  // A new plot only where its shape changes; figures that come in are given to the one that is there.
  useEffect(() => {
    if (host.current === null || !isReady || names === "") return undefined;
    const now = latest.current;
    const options = curveOptions({ ...now, scheme, width: 300, height, xLabel, isTime, onCursor: setCursor });
    const made = new uPlot(options, plotData(now.x, now.series), host.current);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [isReady, names, scheme, height, xLabel, isTime]);

  useEffect(() => plot.current?.setData(plotData(x, series)), [x, series]);
  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width, height, isReady, names, scheme]);
  useEffect(() => {
    for (const [index, { name }] of latest.current.series.entries()) {
      if (plot.current?.series[index + 1]?.show === hidden.has(name)) plot.current.setSeries(index + 1, { show: !hidden.has(name) });
    }
  }, [hidden]);

  const toggle = (name: string): void => {
    setHidden((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  };
  return (
    <section aria-labelledby={headingId} className={classes["plot"]}>
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Text component="h3" id={headingId} fw={600} className="mono" truncate>
          {title}
        </Text>
        <Switch
          size="xs"
          label="Table"
          aria-label={`${title} as a table`}
          checked={isTable}
          onChange={(event) => setTable(event.currentTarget.checked)}
        />
      </Group>
      {isTable ? (
        <PlotTable title={title} xLabel={xLabel} x={x} series={series} isTime={isTime} />
      ) : (
        <>
          <div ref={frame} className={classes["frame"]} style={{ height }}>
            <div ref={host} aria-hidden="true" />
          </div>
          <PlotLegend series={series} hidden={hidden} scheme={scheme} index={cursor} onToggle={toggle} />
        </>
      )}
    </section>
  );
}

function plotData(x: readonly number[], series: readonly PlotSeries[]): uPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => [...values])];
}
