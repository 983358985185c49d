import { getJobStatistics, type JobStatistics as Statistics, type StatisticsGroup } from "@flare-ts/dashboard-api/contract";
import { Group, Input, NativeSelect } from "@mantine/core";
import { IconChartHistogram } from "@tabler/icons-react";
import { useId, useMemo, useState } from "react";
import { useApiQuery } from "../../api/use-api-query.js";
import { EmptyState } from "../../components/empty-state.js";
import { Loaded } from "../../components/loaded.js";
import { Section } from "../../components/section.js";
import { datasetsIn, groupTitle, statisticsTable } from "../../jobs/statistics-table.js";
import { StatisticsView } from "./statistics-view.js";

export interface JobStatisticsProps {
  readonly jobId: string;
  readonly isRunning: boolean;
  /** Whether whoever looks may have the job's result. */
  readonly mayRead: boolean;
}

/** What came of the statistics that a job has asked sites for. */
export function JobStatistics({ jobId, isRunning, mayRead }: JobStatisticsProps) {
  const isThere = !isRunning && mayRead;
  const statistics = useApiQuery(getJobStatistics, { params: { id: jobId } }, { isEnabled: isThere });
  if (!isThere) {
    return (
      <Section title="Statistics">
        <EmptyState icon={<IconChartHistogram size={24} />} title={isRunning ? "No statistics yet" : "Statistics are part of the result"}>
          {isRunning
            ? "They are here when the job is over."
            : "The project’s and the organization’s administrators, and whoever submitted the job, can read it."}
        </EmptyState>
      </Section>
    );
  }
  return (
    <Loaded query={statistics}>
      {({ statistics: all }) =>
        all.length === 0 ? (
          <Section title="Statistics">
            <EmptyState icon={<IconChartHistogram size={24} />} title="No statistics">
              The job ended before sites had answered.
            </EmptyState>
          </Section>
        ) : (
          all.map((one) => <OneStatistics key={one.path} statistics={one} />)
        )
      }
    </Loaded>
  );
}

function OneStatistics({ statistics: { path, groups } }: { readonly statistics: Statistics }) {
  const [wantedDataset, chooseDataset] = useState<string | null>(null);
  const [wantedGroup, chooseGroup] = useState<string | null>(null);
  const datasets = useMemo(() => datasetsIn(groups), [groups]);
  const dataset = datasets.find((one) => one === wantedDataset) ?? datasets[0] ?? "";
  const group = groups[Number(wantedGroup ?? 0)] ?? groups[0];
  const table = useMemo(() => statisticsTable(group?.statistics ?? {}, dataset), [group, dataset]);
  const hasLevels = groups.some(({ level }) => level !== null);
  return (
    <Section
      title="Statistics"
      about={`In a download: ${path}`}
      actions={
        <Group gap="sm">
          {datasets.length > 1 && (
            <Choice label="Data set" all={datasets.map((one) => ({ value: one, label: one }))} value={dataset} choose={chooseDataset} />
          )}
          {groups.length > 1 && (
            <Choice
              label={hasLevels ? "Group or site" : "Site"}
              // A name may be that of several groups.
              all={groups.map((one, index) => ({ value: String(index), label: groupTitle(one) }))}
              value={wantedGroup ?? "0"}
              choose={chooseGroup}
            />
          )}
        </Group>
      }
    >
      {table.rows.length === 0 ? (
        <EmptyState icon={<IconChartHistogram size={24} />} title="Nothing was let out">
          Sites hold back what their privacy policies do not let out.
        </EmptyState>
      ) : (
        <StatisticsView label={`${dataset}, ${whose(group)}`} table={table} />
      )}
    </Section>
  );
}

/** A group as a caption names it, with its level. */
function whose(group: StatisticsGroup | undefined): string {
  if (group === undefined || group.names.length === 0) return "all sites";
  return group.level === null ? groupTitle(group) : `${groupTitle(group)} (${group.level})`;
}

interface ChoiceProps {
  readonly label: string;
  readonly all: readonly { readonly value: string; readonly label: string }[];
  readonly value: string;
  readonly choose: (value: string) => void;
}

function Choice({ label, all, value, choose }: ChoiceProps) {
  const id = useId();
  return (
    <Group gap={8}>
      <Input.Label htmlFor={id} size="xs">
        {label}
      </Input.Label>
      <NativeSelect id={id} size="xs" data={[...all]} value={value} onChange={(event) => choose(event.currentTarget.value)} />
    </Group>
  );
}
