import { IconTerminal2 } from "@tabler/icons-react";
import { EmptyState } from "../../components/empty-state.js";
import { Loaded } from "../../components/loaded.js";
import { Section } from "../../components/section.js";
import { useJobLogs } from "../../live/job-streams.js";
import { LogView } from "./log-view.js";

/** What training scripts print, from sites that let their logs be read. */
export function JobLogs({ jobId, isRunning }: { readonly jobId: string; readonly isRunning: boolean }) {
  const logs = useJobLogs(jobId);
  return (
    <Section title="Logs" about={logs.data?.isCut === true ? "Older lines are gone, or a site said more than is kept." : undefined}>
      <Loaded query={logs}>
        {({ items, sites }) =>
          items.length > 0 ? (
            <LogView lines={items} />
          ) : (
            <EmptyState icon={<IconTerminal2 size={24} />} title="No log lines">
              {sites.length === 0
                ? "No site of this job lets its logs be read here. A site decides that itself, by “Share logs” on its page."
                : isRunning
                  ? "Lines appear as soon as a training script prints some."
                  : "The training scripts printed nothing."}
            </EmptyState>
          )
        }
      </Loaded>
    </Section>
  );
}
