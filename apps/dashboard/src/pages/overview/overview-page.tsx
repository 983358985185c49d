import { getProject } from "@flare-ts/dashboard-api/contract";
import { Grid, Stack } from "@mantine/core";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { ErrorPanel } from "../../components/error-panel.js";
import { formatBytes } from "../../components/format.js";
import { Loaded } from "../../components/loaded.js";
import { Moment } from "../../components/moment.js";
import { PageHeader } from "../../components/page-header.js";
import { Stat, Stats } from "../../components/stat.js";
import { UnreachedNote } from "../../components/unreached-note.js";
import { useFederation } from "../../live/use-federation.js";
import { type AnySite, useAllSites } from "../sites/all-sites.js";
import { NextSteps } from "./next-steps.js";
import { RunningJobs } from "./running-jobs.js";
import { SiteMap } from "./site-map.js";

/** The project at a glance: what to do next, how the sites are, what runs. */
export function OverviewPage() {
  const me = usePerson();
  const project = useApiQuery(getProject, {});
  const federation = useFederation();
  const { sites } = useAllSites();
  if (project.data === undefined && project.error !== null) {
    return (
      <>
        <PageHeader title="Overview" />
        <ErrorPanel error={project.error} onRetry={() => void project.refetch()} />
      </>
    );
  }
  return (
    <Loaded query={project} lines={8}>
      {(known) => (
        <>
          <PageHeader
            title={(known.isElsewhere ? federation.data?.server?.project : known.title || known.name) || "A new project"}
            about={known.description}
          />
          <Stack gap="lg">
            <NextSteps project={known} person={me} sites={sites} link={federation.data?.link} jobs={federation.data?.jobs ?? []} />
            <Loaded query={federation}>
              {({ link, server, sites: working, jobs }) => (
                <>
                  <UnreachedNote />
                  <Stats>
                    <Stat
                      label="Sites connected"
                      value={`${working.filter(({ state }) => state === "connected").length} of ${sites.filter(takesPart).length}`}
                      about={
                        sites.some(({ registered }) => registered?.state === "pending") ? "some wait for approval" : "sites of the project"
                      }
                    />
                    <Stat
                      label="Jobs running"
                      value={jobs.filter(({ status }) => status === "RUNNING" || status === "DISPATCHED").length}
                      about="now"
                    />
                    <Stat
                      label="Jobs queued"
                      value={jobs.filter(({ status }) => status === "SUBMITTED").length}
                      about="waiting for sites"
                    />
                    <Stat
                      label="Models and updates"
                      value={server === null ? "–" : formatBytes(server.receivedBytes + server.sentBytes)}
                      about="since the server started"
                    />
                    <Stat
                      label="Server"
                      value={link.isConnected ? "reached" : "not reached"}
                      about={
                        server === null ? (
                          "never seen"
                        ) : (
                          <>
                            started <Moment atMs={server.startedAtMs} />, {server.softwareVersion}
                          </>
                        )
                      }
                    />
                  </Stats>
                  <Grid gap="lg">
                    <Grid.Col span={{ base: 12, lg: 7 }}>
                      <RunningJobs jobs={jobs} />
                    </Grid.Col>
                    <Grid.Col span={{ base: 12, lg: 5 }}>
                      <SiteMap sites={sites} />
                    </Grid.Col>
                  </Grid>
                </>
              )}
            </Loaded>
          </Stack>
        </>
      )}
    </Loaded>
  );
}

/** One that waits for approval, or was rejected, is not missed. */
function takesPart({ registered, working }: AnySite): boolean {
  return working !== undefined || registered?.state === "approved";
}
