import { getJobStatistics, type JobStatistics as Statistics } from "@flare-ts/dashboard-api/contract";
import { Group, Input, NativeSelect } from "@mantine/core";
import { IconChartHistogram } from "@tabler/icons-react";
import { useId, useMemo, useState } from "react";
import { useApiQuery } from "../../api/use-api-query.js";
import { EmptyState } from "../../components/empty-state.js";
import { Loaded } from "../../components/loaded.js";
import { Section } from "../../components/section.js";
import { allSites, datasetsIn, statisticsTable, whoIn } from "../../jobs/statistics-table.js";
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

function OneStatistics({ statistics: { path, result } }: { readonly statistics: Statistics }) {
  const [wantedDataset, chooseDataset] = useState<string | null>(null);
  const [wantedWho, chooseWho] = useState<string | null>(null);
  const [datasets, names] = useMemo(() => [datasetsIn(result), whoIn(result)], [result]);
  const dataset = datasets.find((one) => one === wantedDataset) ?? datasets[0] ?? "";
  const who = names.find((one) => one === wantedWho) ?? allSites;
  const table = useMemo(() => statisticsTable(result, { dataset, who }), [result, dataset, who]);
  const whoText = who === allSites ? "all sites" : who;
  return (
    <Section
      title="Statistics"
      about={`In a download: ${path}`}
      actions={
        <Group gap="sm">
          {datasets.length > 1 && <Choice label="Data set" all={datasets} value={dataset} choose={chooseDataset} />}
          {names.length > 1 && <Choice label="Site" all={names} value={who} choose={chooseWho} />}
        </Group>
      }
    >
      {table.rows.length === 0 ? (
        <EmptyState icon={<IconChartHistogram size={24} />} title="Nothing was let out">
          Sites hold back what their privacy policies do not let out.
        </EmptyState>
      ) : (
        <StatisticsView label={`${dataset}, ${whoText}`} table={table} />
      )}
    </Section>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly all: readonly string[];
  readonly value: string;
  readonly choose: (value: string) => void;
}

function Choice({ label, all, value, choose }: ChoiceProps) {
  const id = useId();
  const data = all.map((one) => ({ value: one, label: one === allSites ? "All sites" : one }));
  return (
    <Group gap={8}>
      <Input.Label htmlFor={id} size="xs">
        {label}
      </Input.Label>
      <NativeSelect id={id} size="xs" data={data} value={value} onChange={(event) => choose(event.currentTarget.value)} />
    </Group>
  );
}
