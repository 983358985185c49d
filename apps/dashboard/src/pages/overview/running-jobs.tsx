import type { Job } from "@flare-ts/dashboard-api/contract";
import { Anchor, Progress, Text } from "@mantine/core";
import { IconActivity } from "@tabler/icons-react";
import { Link } from "wouter";
import { EmptyState } from "../../components/empty-state.js";
import { count, formatDuration } from "../../components/format.js";
import { Moment } from "../../components/moment.js";
import { Section } from "../../components/section.js";
import { useNow } from "../../components/use-now.js";
import { bufferedWork } from "../../jobs/buffered-work.js";
import { closedRounds } from "../../jobs/workflow-view.js";
import { useJobView } from "../../live/use-job-view.js";
import { isOver, JobStatus } from "../jobs/job-status.js";
import classes from "./running-jobs.module.css";

/** Most jobs that are over and still shown. */
const mostPast = 5;

/** What runs and waits, then what ended last. */
export function RunningJobs({ jobs }: { readonly jobs: readonly Job[] }) {
  const open = jobs.filter(({ status }) => !isOver(status));
  const past = jobs.filter(({ status }) => isOver(status)).slice(0, mostPast);
  return (
    <Section
      title="Jobs"
      isFlush
      actions={
        <Anchor component={Link} href="/jobs" size="sm">
          All jobs
        </Anchor>
      }
    >
      {open.length + past.length === 0 ? (
        <EmptyState icon={<IconActivity size={24} />} title="No job yet">
          Jobs that run appear here with their rounds.
        </EmptyState>
      ) : (
        <ul className={classes["jobs"]}>
          {open.map((job) => (
            <OpenJob key={job.id} job={job} />
          ))}
          {past.map((job) => (
            <li key={job.id} className={classes["job"]}>
              <div className={classes["head"]}>
                <Anchor component={Link} href={`/jobs/${job.id}`} size="sm" fw={550} c="var(--mantine-color-text)">
                  {job.name}
                </Anchor>
                <JobStatus status={job.status} />
                <Text size="xs" c="dimmed" ml="auto" component="span">
                  {job.endedAtMs !== null && <Moment atMs={job.endedAtMs} />}
                </Text>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function OpenJob({ job }: { readonly job: Job }) {
  const now = useNow();
  const workflow = useJobView(job.id).workflows.at(-1);
  const round = workflow?.rounds.at(-1);
  const closed = workflow === undefined ? 0 : closedRounds(workflow);
  const work = workflow === undefined ? null : bufferedWork(workflow);
  const answered = [...(round?.sites.values() ?? [])].filter(({ state }) => state === "answered").length;
  return (
    <li className={classes["job"]}>
      <div className={classes["head"]}>
        <Anchor component={Link} href={`/jobs/${job.id}`} size="sm" fw={550} c="var(--mantine-color-text)">
          {job.name}
        </Anchor>
        <JobStatus status={job.status} />
        <Text size="xs" c="dimmed" ml="auto" component="span">
          {job.startedAtMs === null ? "waits" : formatDuration(now - job.startedAtMs)}
        </Text>
      </div>
      {round !== undefined ? (
        <>
          <Progress
            value={(100 * closed) / Math.max(1, round.totalRounds)}
            size={5}
            mt={8}
            aria-label={`Rounds of ${job.name} that are done`}
          />
          <Text size="xs" c="dimmed" mt={4}>
            {round.workflow !== "" && `${round.workflow}: `}
            {closed} of {round.totalRounds} rounds ·{" "}
            {work === null
              ? `${answered} of ${count(round.sites.size, "site")} answered in this one`
              : `${work.buffered} of ${count(work.updates, "update")} for the next model, ${count(work.atWork.length, "site")} at work`}
          </Text>
        </>
      ) : (
        job.reason !== "" && (
          <Text size="xs" c="dimmed" mt={4}>
            {job.reason}
          </Text>
        )
      )}
    </li>
  );
}
