import type { Job } from "@flare-ts/dashboard-api/contract";
import { formatBytes, formatDuration, formatValue } from "../../components/format.js";
import { Stat, Stats } from "../../components/stat.js";
import { useNow } from "../../components/use-now.js";
import { bufferedWork } from "../../jobs/buffered-work.js";
import type { JobView } from "../../jobs/fold-journal.js";
import { roundName } from "../../jobs/round-view.js";
import { namesIn, type WorkflowView } from "../../jobs/workflow-view.js";
import { isOver } from "./job-status.js";

/** The figures of a job that count. */
export function JobStats({ job, view }: { readonly job: Job; readonly view: JobView }) {
  const isRunning = !isOver(job.status);
  const now = useNow(isRunning ? 1000 : 3_600_000);
  const { rounds, workflows, best } = view;
  const round = rounds.at(-1);
  // What is under way is counted by itself: how many rounds later workflows have is not known before.
  const shown = isRunning ? workflows.slice(-1) : workflows;
  const closed = shown.flatMap((workflow) => workflow.rounds).filter(({ closedMs }) => closedMs !== null);
  const total = shown.reduce((sum, { totalRounds }) => sum + totalRounds, 0);
  const answered = [...(round?.sites.values() ?? [])].filter(({ state }) => state === "answered").length;
  const bytes = rounds.reduce((sum, { sites }) => sum + [...sites.values()].reduce((inner, site) => inner + (site.bytes ?? 0), 0), 0);
  const meanMs = closed.reduce((sum, { openedMs, closedMs }) => sum + ((closedMs ?? 0) - openedMs), 0) / Math.max(1, closed.length);
  const leftMs = closed.length === 0 ? 0 : meanMs * (total - closed.length);
  const left = isRunning && leftMs > 0 ? `about ${formatDuration(leftMs)} to go` : "closed";
  const work = isRunning ? bufferedWork({ rounds: shown.flatMap((workflow) => workflow.rounds) }) : null;
  const bestRound = rounds.find((one) => one.round === best?.round);
  return (
    <Stats>
      <Stat
        label="Round"
        value={round === undefined ? "–" : `${closed.length} of ${total}`}
        about={round === undefined ? "none yet" : `${whichWorkflow(shown)}${left}`}
      />
      {work === null ? (
        <Stat
          label={isRunning ? "Answered in this round" : "Sites"}
          value={round !== undefined && isRunning ? `${answered} of ${round.sites.size}` : job.sites.length === 0 ? "–" : job.sites.length}
          about={
            !isRunning ? "took part" : round === undefined ? "no round is open" : round.sites.size === 1 ? namesIn([round])[0] : "sites"
          }
        />
      ) : (
        <Stat
          label="Updates for the next model"
          value={`${work.buffered} of ${work.updates}`}
          about={`${work.atWork.length} ${work.atWork.length === 1 ? "site" : "sites"} at work`}
        />
      )}
      <Stat
        label={isRunning ? "Running for" : "Took"}
        value={job.startedAtMs === null ? "–" : formatDuration((job.endedAtMs ?? now) - job.startedAtMs)}
        about={closed.length === 0 ? "" : `${formatDuration(meanMs)} a round`}
      />
      <Stat
        label="Updates received"
        value={formatBytes(bytes)}
        about={round === undefined ? "" : (rounds.findLast(({ strategy }) => strategy !== "")?.strategy ?? "from sites")}
      />
      <Stat
        label="Best model"
        value={best === null ? "–" : formatValue(best.value)}
        about={best === null ? "no key metric yet" : `${best.metric}, ${roundName(bestRound ?? { number: best.round + 1, workflow: "" })}`}
      />
    </Stats>
  );
}

function whichWorkflow(shown: readonly WorkflowView[]): string {
  const [first, ...more] = shown;
  if (first === undefined || first.id === "") return "";
  return more.length === 0 ? `${first.id}, ` : `${shown.length} workflows, `;
}
