import { type Job, listJobs, type OwnJob, submitJobTemplate } from "@flare-ts/dashboard-api/contract";
import { Button, Text } from "@mantine/core";
import { IconActivity, IconPlus } from "@tabler/icons-react";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { DataTable } from "../../components/data-table.js";
import { EmptyState } from "../../components/empty-state.js";
import { EntryLink } from "../../components/entry-link.js";
import { count, formatDuration } from "../../components/format.js";
import { type Filters, holdsText, ListFilters, useFilters } from "../../components/list-filters.js";
import { Loaded } from "../../components/loaded.js";
import { Moment } from "../../components/moment.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { useNewDialog } from "../../components/use-address-value.js";
import { useNow } from "../../components/use-now.js";
import { useFederation } from "../../live/use-federation.js";
import { isOver, JobStatus } from "./job-status.js";
import { SubmitDialog } from "./submit-dialog.js";

/** Most jobs that are listed; the newest ones. */
const mostListed = 500;

/** The jobs of the project, the newest first, and the way to submit one. */
export function JobsPage() {
  const me = usePerson();
  const [isSubmitting, setSubmitting] = useNewDialog();
  const filters = useFilters();
  const jobs = useApiQuery(listJobs, { query: { limit: mostListed } });
  const live = useFederation();
  const current = new Map((live.data?.jobs ?? []).map((job) => [job.id, job]));
  const maySubmit = jobs.data?.maySubmit ?? false;
  // Where the list cannot be read its reader may be right to submit all the same.
  const mayAsk = jobs.data?.maySubmit ?? (submitJobTemplate.access as readonly string[]).includes(me.role);
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setSubmitting(true)}>
      Submit a job
    </Button>
  );
  return (
    <>
      <PageHeader title="Jobs" about="What the federation trains, has trained and will train." actions={maySubmit && button} />
      <Section isFlush>
        <Loaded query={jobs}>
          {({ jobs: all }) => {
            const shown = all.filter((job) => matches(current.get(job.id) ?? job, filters));
            return all.length === 0 ? (
              <EmptyState icon={<IconActivity size={24} />} title="No job yet" action={maySubmit && button}>
                {maySubmit
                  ? "Submit one from a template to see the federation at work, or upload the folder of your own."
                  : "Jobs appear here as soon as somebody submits one."}
              </EmptyState>
            ) : (
              <>
                <ListFilters
                  filters={filters}
                  label="Which jobs"
                  views={[
                    { value: "all", label: "All" },
                    { value: "open", label: "Running and queued" },
                    { value: "completed", label: "Completed" },
                    { value: "failed", label: "Failed" },
                  ]}
                  search="Search jobs"
                  placeholder="Name, submitter or id"
                />
                {shown.length === 0 ? (
                  <EmptyState icon={<IconActivity size={24} />} title="No such job">
                    No job matches what you look for.
                  </EmptyState>
                ) : (
                  <JobTable jobs={shown} current={current} />
                )}
              </>
            );
          }}
        </Loaded>
      </Section>
      <SubmitDialog isOpen={isSubmitting && mayAsk} onClose={() => setSubmitting(false)} />
    </>
  );
}

function JobTable({ jobs, current }: { readonly jobs: readonly OwnJob[]; readonly current: ReadonlyMap<string, Job> }) {
  const live = (job: OwnJob): Job => current.get(job.id) ?? job;
  return (
    <DataTable
      label="Jobs"
      rows={jobs}
      keyOf={({ id }) => id}
      columns={[
        {
          title: "Job",
          cell: (job) => (
            <>
              <EntryLink href={`/jobs/${job.id}`}>{job.name}</EntryLink>
              <Text size="xs" c="dimmed" className="mono">
                {job.id.slice(0, 8)}
              </Text>
            </>
          ),
        },
        {
          title: "Status",
          cell: (job) => (
            <>
              <JobStatus status={live(job).status} />
              {live(job).status === "SUBMITTED" && live(job).reason !== "" && (
                <Text size="xs" c="dimmed" maw={300} className="sentence" component="div">
                  {live(job).reason}
                </Text>
              )}
            </>
          ),
        },
        {
          title: "Sites",
          isOneLine: true,
          cell: (job) => (live(job).sites.length === 0 ? "–" : count(live(job).sites.length, "site")),
        },
        { title: "Submitted by", cell: ({ submitter }) => submitter },
        { title: "Submitted", isOneLine: true, cell: ({ submittedAtMs }) => <Moment atMs={submittedAtMs} /> },
        { title: "Took", isRight: true, cell: (job) => <Took job={live(job)} /> },
      ]}
    />
  );
}

function Took({ job }: { readonly job: Job }) {
  const now = useNow(isOver(job.status) ? 3_600_000 : 1000);
  if (job.startedAtMs === null) return "–";
  return formatDuration((job.endedAtMs ?? now) - job.startedAtMs);
}

function matches({ id, name, submitter, status }: Job, filters: Filters): boolean {
  const { view } = filters;
  const isWanted =
    view === "all" ||
    (view === "open" && !isOver(status)) ||
    (view === "completed" && status === "FINISHED:COMPLETED") ||
    (view === "failed" && isOver(status) && status !== "FINISHED:COMPLETED");
  return isWanted && holdsText([id, name, submitter], filters);
}
