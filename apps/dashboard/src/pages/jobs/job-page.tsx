import {
  abortJob,
  cloneJob,
  deleteJob,
  downloadJobResult,
  getJob,
  type Job,
  listJobLogs,
  listJobs,
  type OwnJob,
  routeUrl,
} from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Grid, Stack } from "@mantine/core";
import { useThrottledValue } from "@mantine/hooks";
import { IconCopyPlus, IconDownload } from "@tabler/icons-react";
import { useMemo } from "react";
import { useLocation } from "wouter";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { formatMoment } from "../../components/format.js";
import { isGone, Loaded } from "../../components/loaded.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { isEvaluation } from "../../jobs/evaluation.js";
import { metricCurves } from "../../jobs/metric-curves.js";
import { trackedCurves } from "../../jobs/tracked-curves.js";
import { isStatistics } from "../../jobs/workflow-view.js";
import { useJobMetrics, useJobPhases } from "../../live/job-streams.js";
import { useFederation } from "../../live/use-federation.js";
import { useJobView } from "../../live/use-job-view.js";
import { IncidentList } from "./incident-list.js";
import { JobCurves } from "./job-curves.js";
import { JobEvaluation } from "./job-evaluation.js";
import { JobLogs } from "./job-logs.js";
import { JobReceipts } from "./job-receipts.js";
import { JobRounds } from "./job-rounds.js";
import { JobStatistics } from "./job-statistics.js";
import { JobStats } from "./job-stats.js";
import { isOver, JobStatus } from "./job-status.js";

/** One job: how far it is, who is late and why, its curves, its logs, its result. */
export function JobPage({ id }: { readonly id: string }) {
  const job = useApiQuery(getJob, { params: { id } });
  const live = useFederation().data?.jobs.find((one) => one.id === id);
  if (job.data === undefined || isGone(job.error)) {
    return (
      <>
        <PageHeader title="Job" about={<span className="mono">{id}</span>} back={{ href: "/jobs", text: "Jobs" }} />
        <Loaded query={job} lines={10}>
          {() => null}
        </Loaded>
      </>
    );
  }
  return (
    <Loaded query={job} lines={10}>
      {(own) => <JobDetail job={live === undefined ? own : { ...own, ...live }} may={own.may} />}
    </Loaded>
  );
}

function JobDetail({ job, may }: { readonly job: Job; readonly may: OwnJob["may"] }) {
  const view = useJobView(job.id);
  const metrics = useJobMetrics(job.id);
  const phases = useJobPhases(job.id);
  // Thousands of points that come four times a second are drawn once a second.
  const points = useThrottledValue(metrics.data?.items, 1000);
  const byRound = useMemo(() => metricCurves(view.workflows), [view]);
  const byStep = useMemo(() => trackedCurves(points ?? []), [points]);
  const isRunning = !isOver(job.status);
  const evaluations = view.workflows.filter(isEvaluation);
  const hasStatistics = view.workflows.some(isStatistics);
  const tabled = view.workflows.filter((workflow) => isEvaluation(workflow) || isStatistics(workflow)).length;
  // A job that trains nothing has no curves to wait for.
  const measuresOnly = tabled > 0 && tabled === view.workflows.length && byStep.length === 0;
  const tables = (evaluations.length > 0 || hasStatistics) && (
    <Stack gap="lg">
      {hasStatistics && <JobStatistics jobId={job.id} isRunning={isRunning} mayRead={may.includes("download")} />}
      {evaluations.map((workflow) => (
        <JobEvaluation key={workflow.id} workflow={workflow} isRunning={isRunning} />
      ))}
    </Stack>
  );
  const mayReadLogs = (listJobLogs.access as readonly string[]).includes(usePerson().role);
  return (
    <>
      <PageHeader
        title={job.name}
        back={{ href: "/jobs", text: "Jobs" }}
        badge={<JobStatus status={job.status} />}
        about={
          <>
            Submitted by {job.submitter}, {formatMoment(job.submittedAtMs)} · <span className="mono">{job.id}</span>
          </>
        }
        actions={<JobActions job={job} may={may} />}
      />
      <Stack gap="lg">
        {job.reason !== "" && job.status !== "FINISHED:COMPLETED" && (
          <Alert color={isRunning ? "cobalt" : "orange"} variant="light" title={isRunning ? "Why it waits" : "Why it ended"}>
            <div className="sentence">{job.reason}</div>
          </Alert>
        )}
        <JobStats job={job} view={view} />
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: measuresOnly ? 12 : 8 }}>
            {measuresOnly ? tables : <JobCurves byRound={byRound} byStep={byStep} isRunning={isRunning} />}
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: measuresOnly ? 12 : 4 }}>
            <Section title="What happened">
              <IncidentList incidents={view.incidents} />
            </Section>
          </Grid.Col>
        </Grid>
        {!measuresOnly && tables}
        <JobRounds jobId={job.id} workflows={view.workflows} phases={phases} progress={job.progress} isRunning={isRunning} />
        {mayReadLogs && <JobLogs jobId={job.id} isRunning={isRunning} />}
        <JobReceipts jobId={job.id} rounds={view.rounds} isRunning={isRunning} />
      </Stack>
    </>
  );
}

function JobActions({ job, may }: { readonly job: Job; readonly may: OwnJob["may"] }) {
  const [, go] = useLocation();
  const params = { id: job.id };
  const abort = useApiMutation(abortJob, { changes: [getJob, listJobs], done: "The job is being aborted" });
  const clone = useApiMutation(cloneJob, {
    changes: [listJobs],
    done: "The job is submitted once more",
    onDone: ({ id }) => go(`/jobs/${id}`),
  });
  const remove = useApiMutation(deleteJob, { changes: [listJobs], done: "The job is deleted", onDone: () => go("/jobs") });
  return (
    <>
      {may.includes("delete") && (
        <ConfirmButton
          question={`Delete ${job.name}?`}
          consequence="Its result, journal and logs go with it, for good."
          verb="Delete"
          onConfirm={() => remove.mutate({ params })}
        >
          Delete
        </ConfirmButton>
      )}
      {may.includes("clone") && (
        <Button
          variant="default"
          leftSection={<IconCopyPlus size={16} />}
          loading={clone.isPending}
          onClick={() => clone.mutate({ params })}
        >
          Run again
        </Button>
      )}
      {may.includes("abort") && (
        <ConfirmButton
          question={`Abort ${job.name}?`}
          consequence="All sites stop working on it. The newest model so far can still be downloaded; the job itself cannot go on."
          verb="Abort"
          onConfirm={() => abort.mutate({ params, body: {} })}
        >
          Abort
        </ConfirmButton>
      )}
      {may.includes("download") && (
        <Button component="a" href={routeUrl(downloadJobResult, params)} download leftSection={<IconDownload size={16} />}>
          Download result
        </Button>
      )}
    </>
  );
}
