import { decideSite, getProject, getSite, listSites, type WorkingSite } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconBuildingHospital, IconPlus } from "@tabler/icons-react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { CertificateEnd } from "../../components/certificate-end.js";
import { DataTable } from "../../components/data-table.js";
import { EmptyState } from "../../components/empty-state.js";
import { EntryLink } from "../../components/entry-link.js";
import { ErrorPanel } from "../../components/error-panel.js";
import { formatBytes } from "../../components/format.js";
import { type Filters, holdsText, ListFilters, useFilters } from "../../components/list-filters.js";
import { Moment } from "../../components/moment.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { UnreachedNote } from "../../components/unreached-note.js";
import { useNewDialog } from "../../components/use-address-value.js";
import { KitCondition } from "../kits/kit-condition.js";
import { AddSiteDialog } from "./add-site-dialog.js";
import { type AnySite, useAllSites } from "./all-sites.js";
import { SiteApproval } from "./site-approval.js";
import { SiteConnection } from "./site-connection.js";
import { resourcesOf } from "./site-work.js";

/** The sites of the project, at work and on paper. */
export function SitesPage() {
  const me = usePerson();
  const [isAdding, setAdding] = useNewDialog();
  const { sites, isLoading, error } = useAllSites();
  const filters = useFilters();
  const shown = sites.filter((site) => matches(site, filters));
  const decide = useApiMutation(decideSite, { changes: [listSites, getSite], done: "Saved" });
  const project = useApiQuery(getProject, {});
  const isAdmin = project.data?.isElsewhere === false && (me.role === "project_admin" || me.role === "org_admin");
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
      Add a site
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Sites"
        about={
          me.role === "org_admin" ? "Those of your organisation, and all that are at work." : "Where the data is and the training runs."
        }
        actions={isAdmin && button}
      />
      <Stack gap="lg">
        <UnreachedNote />
        <Section isFlush>
          {error !== null && <ErrorPanel error={error} />}
          {error !== null && sites.length === 0 ? null : !isLoading && sites.length === 0 ? (
            <EmptyState icon={<IconBuildingHospital size={24} />} title="No site yet" action={isAdmin && button}>
              {isAdmin
                ? "Add a site for each place where data is. Organisation admins add those of their own."
                : "Sites appear here once they have connected to the server."}
            </EmptyState>
          ) : (
            <>
              <ListFilters
                filters={filters}
                label="State"
                views={[
                  { value: "all", label: `All ${sites.length}` },
                  { value: "connected", label: "Connected" },
                  { value: "away", label: "Not connected" },
                  { value: "pending", label: "Waiting for approval" },
                ]}
                search="Search sites"
                placeholder="Name, organisation or relay"
              />
              {shown.length === 0 && sites.length > 0 ? (
                <EmptyState icon={<IconBuildingHospital size={24} />} title="No such site">
                  No site matches what you look for.
                </EmptyState>
              ) : (
                <DataTable
                  label="Sites"
                  rows={shown}
                  keyOf={({ name }) => name}
                  columns={[
                    {
                      title: "Site",
                      cell: ({ name, organization }) => (
                        <>
                          <EntryLink href={`/sites/${name}`}>{name}</EntryLink>
                          <Text size="xs" c="dimmed">
                            {organization}
                          </Text>
                        </>
                      ),
                    },
                    { title: "State", cell: (site) => <StateCell site={site} /> },
                    { title: "Certificate", isOneLine: true, cell: (site) => <CertificateCell site={site} /> },
                    {
                      title: "Resources",
                      isOneLine: true,
                      cell: ({ working, registered }) => {
                        const known = working?.resources ?? registered?.capacity;
                        return known !== undefined && resourcesOf(known);
                      },
                    },
                    { title: "Traffic", isRight: true, cell: ({ working }) => working !== undefined && <TrafficCell site={working} /> },
                    { title: "Version", isOneLine: true, cell: ({ working }) => working?.softwareVersion },
                    {
                      title: "Actions",
                      isRight: true,
                      isTitleHidden: true,
                      cell: ({ registered }) =>
                        me.role === "project_admin" &&
                        registered?.state === "pending" && (
                          <Group gap="xs" wrap="nowrap">
                            <Button
                              size="compact-sm"
                              onClick={() =>
                                decide.mutate({ params: { id: registered.id }, body: { decision: "approve", version: registered.version } })
                              }
                            >
                              Approve
                            </Button>
                            <Button
                              size="compact-sm"
                              variant="default"
                              onClick={() => decide.mutate({ params: { id: registered.id }, body: { decision: "reject" } })}
                            >
                              Reject
                            </Button>
                          </Group>
                        ),
                    },
                  ]}
                />
              )}
            </>
          )}
        </Section>
      </Stack>
      <AddSiteDialog isOpen={isAdding && isAdmin} onClose={() => setAdding(false)} />
    </>
  );
}

function matches({ name, organization, registered, working }: AnySite, filters: Filters): boolean {
  const isWaiting = registered?.state === "pending";
  const isConnected = working?.state === "connected";
  const isWanted =
    filters.view === "all" ||
    (filters.view === "connected" && isConnected) ||
    (filters.view === "away" && !isConnected && !isWaiting) ||
    (filters.view === "pending" && isWaiting);
  return isWanted && holdsText([name, organization, working?.relay ?? ""], filters);
}

function StateCell({ site: { registered, working } }: { readonly site: AnySite }) {
  return (
    <>
      {/* One that is not approved has no way to connect. */}
      {working === undefined && registered !== undefined && registered.state !== "approved" ? (
        <SiteApproval state={registered.state} />
      ) : (
        <SiteConnection site={working} />
      )}
      {working !== undefined && (
        <Text size="xs" c="dimmed" mt={2} component="div">
          since <Moment atMs={working.sinceMs} />
          {working.relay !== null && ` by way of ${working.relay}`}
          {working.reason !== "" && `: ${working.reason}`}
        </Text>
      )}
      {working?.lastError && (
        <Text size="xs" c="var(--ink-warn)" mt={2} maw={320} lineClamp={2} title={working.lastError.message}>
          Error <Moment atMs={working.lastError.atMs} />: {working.lastError.message}
        </Text>
      )}
    </>
  );
}

function TrafficCell({ site }: { readonly site: WorkingSite }) {
  const { receivedBytes, sentBytes, receivedBytesPerSecond, sentBytesPerSecond } = site;
  const rates = [receivedBytesPerSecond, sentBytesPerSecond].filter((rate) => rate !== null);
  return (
    <div>
      {formatBytes(receivedBytes + sentBytes)}
      {rates.length > 0 && (
        <Text size="xs" c="dimmed">
          up to {formatBytes(Math.max(...rates))}/s
        </Text>
      )}
    </div>
  );
}

function CertificateCell({ site: { registered, working } }: { readonly site: AnySite }) {
  const kit = registered?.kit ?? null;
  const endsAtMs = working?.certificateEndsAtMs ?? kit?.validToMs ?? null;
  return (
    <>
      {kit !== null && <KitCondition condition={kit.condition} />}
      {endsAtMs !== null && (
        <Text size="xs" c="dimmed" mt={2} component="div">
          until <CertificateEnd atMs={endsAtMs} />
        </Text>
      )}
      {kit === null && endsAtMs === null && (
        <Text size="xs" c="dimmed">
          none yet
        </Text>
      )}
    </>
  );
}
