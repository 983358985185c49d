import { getProject, type IssuedKit, listKits } from "@flare-ts/dashboard-api/contract";
import { Alert, Anchor, SimpleGrid, Stack, Switch, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { DataTable } from "../../components/data-table.js";
import { ElsewhereNote } from "../../components/elsewhere-note.js";
import { EmptyState } from "../../components/empty-state.js";
import { formatDay } from "../../components/format.js";
import { Loaded } from "../../components/loaded.js";
import { Moment } from "../../components/moment.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { useAddressValue } from "../../components/use-address-value.js";
import { IssueKitButton } from "./issue-kit-button.js";
import { KitActions } from "./kit-actions.js";
import { KitCondition } from "./kit-condition.js";
import { KitFacts } from "./kit-facts.js";
import { MyRequest } from "./my-request.js";

/** The kits that one may see: the server's, one's own, and those of sites. */
export function KitsPage() {
  const me = usePerson();
  const project = useApiQuery(getProject, {});
  const kits = useApiQuery(listKits, {});
  return (
    <>
      <PageHeader
        title="Kits"
        about="A kit is all that a server, a site or a console needs: who it is, whom it trusts, where to connect."
      />
      <Loaded query={kits} lines={8}>
        {({ kits: all }) => (
          <Stack gap="lg">
            {project.data?.isElsewhere === true && <ElsewhereNote />}
            {project.data?.isElsewhere === false && project.data.state === "draft" && (
              <Alert color="cobalt" variant="light" title="No kits before the project is frozen">
                Freezing makes the project's certificate authority.{" "}
                {me.role === "project_admin" && (
                  <Anchor component={Link} href="/project" size="sm" underline="always">
                    To the project
                  </Anchor>
                )}
              </Alert>
            )}
            {project.data?.authority?.isUnlocked === false && (
              <Alert color="orange" variant="light" title="The certificate authority is locked">
                A project admin gives its passphrase on the page of the project; then kits can be issued again.
              </Alert>
            )}
            <SimpleGrid cols={{ base: 1, md: me.role === "project_admin" ? 2 : 1 }} spacing="lg">
              {me.role === "project_admin" && (
                <OneKit
                  title="Server"
                  about="For the machine where the server runs."
                  kit={newest(all, ({ kind }) => kind === "server")}
                  of="server"
                />
              )}
              <OneKit
                title="Your console"
                about="For the flare command on your own machine, with your role."
                kit={newest(all, ({ kind, personId }) => kind === "console" && personId === me.id)}
                of="me"
              >
                {me.role !== "project_admin" && <MyRequest email={me.email} />}
              </OneKit>
            </SimpleGrid>
            {(me.role === "project_admin" || me.role === "org_admin") && <AllKits kits={all} />}
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function OneKit({
  title,
  about,
  kit,
  of,
  children,
}: {
  readonly title: string;
  readonly about: string;
  readonly kit: IssuedKit | null;
  readonly of: "server" | "me";
  readonly children?: ReactNode;
}) {
  return (
    <Section title={title} about={about} actions={<IssueKitButton of={of} earlier={kit} />}>
      <Stack gap="md">
        {kit === null ? (
          <Text size="sm" c="dimmed">
            {of === "me" ? "Not issued yet. You need one only where you use the command line; this page needs none." : "Not issued yet."}
          </Text>
        ) : (
          <>
            <KitFacts kit={kit} />
            <KitActions kit={kit} />
          </>
        )}
        {children}
      </Stack>
    </Section>
  );
}

function AllKits({ kits }: { readonly kits: readonly IssuedKit[] }) {
  const [view, setView] = useAddressValue("view", "current");
  const hasOld = view === "all";
  const shown = kits
    .filter(({ condition }) => hasOld || condition === "good" || condition === "ending" || condition === "revoking")
    .toSorted((a, b) => b.issuedAtMs - a.issuedAtMs);
  return (
    <Section
      title="All kits"
      isFlush
      actions={
        <Switch
          size="xs"
          label="Show old ones"
          checked={hasOld}
          onChange={(event) => setView(event.currentTarget.checked ? "all" : "current")}
        />
      }
    >
      {shown.length === 0 ? (
        <EmptyState icon={<IconKey size={24} />} title="No kits">
          Kits of sites are issued on the page of each site, once it is approved.
        </EmptyState>
      ) : (
        <DataTable
          label="Kits"
          rows={shown}
          keyOf={({ id }) => id}
          columns={[
            {
              title: "Participant",
              cell: (kit) => (
                <>
                  <Text size="sm" fw={550}>
                    {kit.participant}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {kit.kind}, {kit.organization}
                  </Text>
                </>
              ),
            },
            { title: "Certificate", cell: ({ condition }) => <KitCondition condition={condition} /> },
            { title: "Good until", isOneLine: true, cell: ({ validToMs }) => formatDay(validToMs) },
            {
              title: "Issued",
              cell: (kit) => (
                <>
                  <Moment atMs={kit.issuedAtMs} /> by {kit.issuedBy}
                </>
              ),
            },
            {
              title: "Serial",
              cell: ({ serial }) => (
                <span className="mono" title={serial}>
                  {serial.slice(0, 10)}…
                </span>
              ),
            },
            { title: "Actions", isRight: true, isTitleHidden: true, cell: (kit) => <KitActions kit={kit} isCompact /> },
          ]}
        />
      )}
    </Section>
  );
}

function newest(kits: readonly IssuedKit[], isWanted: (kit: IssuedKit) => boolean): IssuedKit | null {
  return kits.filter(isWanted).toSorted((a, b) => b.issuedAtMs - a.issuedAtMs)[0] ?? null;
}
