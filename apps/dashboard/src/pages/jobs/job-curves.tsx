import { MultiSelect, SimpleGrid } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { EmptyState } from "../../components/empty-state.js";
import { Section } from "../../components/section.js";
import { globalSeries, type MetricCurves, type RoundCurves } from "../../jobs/metric-curves.js";
import type { PlotSeries } from "../../plots/curve-options.js";
import { LinePlot } from "../../plots/line-plot.js";

export interface JobCurvesProps {
  /** By round, from the job's journal. */
  readonly byRound: readonly RoundCurves[];
  /** By step, from what the sites' scripts tracked. */
  readonly byStep: readonly MetricCurves[];
  readonly isRunning: boolean;
}

/** How many plots are drawn before somebody chooses. */
const shownAtFirst = 4;

/** The metrics of a job as curves: each site, and all together. */
export function JobCurves({ byRound, byStep, isRunning }: JobCurvesProps) {
  const [chosen, setChosen] = useState<string[] | null>(null);
  const all = useMemo(
    () => [
      ...byRound.map((curves) => ({
        id: `round ${curves.metric} ${curves.workflow}`,
        label: curves.workflow === "" ? curves.metric : `${curves.metric}, ${curves.workflow}`,
        xLabel: "round",
        curves,
        areTurns: curves.areTurns,
      })),
      ...byStep.map((curves) => ({
        id: `step ${curves.metric}`,
        label: `${curves.metric}, by step`,
        xLabel: "step",
        curves,
        areTurns: false,
      })),
    ],
    [byRound, byStep],
  );
  const shown = chosen ?? all.slice(0, shownAtFirst).map(({ id }) => id);
  return (
    <Section
      title="Metrics"
      actions={
        all.length > shownAtFirst && (
          <MultiSelect
            size="xs"
            aria-label="Metrics that are shown"
            data={all.map(({ id, label }) => ({ value: id, label }))}
            value={shown}
            onChange={setChosen}
            maw={460}
            searchable
          />
        )
      }
    >
      {all.length === 0 ? (
        <EmptyState icon={<IconChartLine size={24} />} title="No metrics yet">
          {isRunning
            ? "Curves appear with the first update of a site that reports metrics."
            : "No site reported metrics. A training script reports them with its model, or by flare.log()."}
        </EmptyState>
      ) : (
        <SimpleGrid cols={{ base: 1, lg: shown.length > 1 ? 2 : 1 }} spacing="xl" verticalSpacing="lg">
          {all
            .filter(({ id }) => shown.includes(id))
            .map(({ id, label, xLabel, curves, areTurns }) => (
              <MetricPlot key={id} title={label} xLabel={xLabel} curves={curves} areTurns={areTurns} />
            ))}
        </SimpleGrid>
      )}
    </Section>
  );
}

interface MetricPlotProps {
  readonly title: string;
  readonly xLabel: string;
  readonly curves: MetricCurves;
  readonly areTurns: boolean;
}

function MetricPlot({ title, xLabel, curves, areTurns }: MetricPlotProps) {
  const series = useMemo(
    (): readonly PlotSeries[] =>
      curves.curves.map(({ name, values }) => {
        const isMain = name === globalSeries;
        return { name, values, isMain, isDotted: areTurns && !isMain };
      }),
    [curves, areTurns],
  );
  return <LinePlot title={title} xLabel={xLabel} x={curves.x} series={series} />;
}
