import type { Job } from "@flare-ts/dashboard-api/contract";
import { formatBytes, formatDuration, formatValue } from "../../components/format.js";
import { Stat, Stats } from "../../components/stat.js";
import { useNow } from "../../components/use-now.js";
import type { JobView } from "../../jobs/fold-journal.js";
import { isOver } from "./job-status.js";

/** The figures of a job that count. */
export function JobStats({ job, view }: { readonly job: Job; readonly view: JobView }) {
  const isRunning = !isOver(job.status);
  const now = useNow(isRunning ? 1000 : 3_600_000);
  const { rounds, best } = view;
  const round = rounds.at(-1);
  const answered = [...(round?.sites.values() ?? [])].filter(({ state }) => state === "answered").length;
  const closed = rounds.filter(({ closedMs }) => closedMs !== null);
  const bytes = rounds.reduce((sum, { sites }) => sum + [...sites.values()].reduce((inner, site) => inner + (site.bytes ?? 0), 0), 0);
  const meanMs = closed.reduce((sum, { openedMs, closedMs }) => sum + ((closedMs ?? 0) - openedMs), 0) / Math.max(1, closed.length);
  const leftMs = round === undefined || closed.length === 0 ? null : meanMs * (round.totalRounds - closed.length);
  return (
    <Stats>
      <Stat
        label="Round"
        value={round === undefined ? "–" : `${closed.length} of ${round.totalRounds}`}
        about={
          round === undefined ? "none yet" : isRunning && leftMs !== null && leftMs > 0 ? `about ${formatDuration(leftMs)} to go` : "closed"
        }
      />
      <Stat
        label={isRunning ? "Answered in this round" : "Sites"}
        value={round !== undefined && isRunning ? `${answered} of ${round.sites.size}` : job.sites.length === 0 ? "–" : job.sites.length}
        about={isRunning ? (round === undefined ? "no round is open" : "sites") : "took part"}
      />
      <Stat
        label={isRunning ? "Running for" : "Took"}
        value={job.startedAtMs === null ? "–" : formatDuration((job.endedAtMs ?? now) - job.startedAtMs)}
        about={closed.length === 0 ? "" : `${formatDuration(meanMs)} a round`}
      />
      <Stat label="Updates received" value={formatBytes(bytes)} about={round === undefined ? "" : round.strategy || "from sites"} />
      <Stat
        label="Best model"
        value={best === null ? "–" : formatValue(best.value)}
        about={best === null ? "no key metric yet" : `${best.metric}, round ${best.round + 1}`}
      />
    </Stats>
  );
}
