import { type AuditEntry, exportAudit, listAudit, routeUrl } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Menu, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api/api-context.js";
import { keyOf } from "../../api/use-api-query.js";
import { DataTable } from "../../components/data-table.js";
import { EmptyState } from "../../components/empty-state.js";
import { ErrorPanel } from "../../components/error-panel.js";
import { formatMoment } from "../../components/format.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { StatusPill } from "../../components/status-pill.js";
import { useAddressValue } from "../../components/use-address-value.js";

const outcomes = ["done", "refused"] as const;
const spans: Readonly<Record<string, number>> = { day: 86_400_000, week: 604_800_000, month: 2_592_000_000 };

/** Who did what, newest first; filterable, and to be taken along as a file. */
export function AuditPage() {
  const api = useApi();
  const [actor, setActor] = useAddressValue("who");
  const [action, setAction] = useAddressValue("action");
  const [chosen, choose] = useAddressValue("outcome");
  const outcome = outcomes.find((one) => one === chosen);
  const [span, setSpan] = useAddressValue("within");
  // Counted from when it was chosen: else each moment would ask for something else.
  const [since, setSince] = useState(() => beginOf(span));
  const [filters] = useDebouncedValue(
    {
      // Addresses are kept in small letters.
      ...(actor.trim() === "" ? {} : { actor: actor.trim().toLowerCase() }),
      ...(action.trim() === "" ? {} : { action: action.trim() }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(since === undefined ? {} : { sinceMs: since }),
    },
    250,
  );
  const audit = useInfiniteQuery({
    queryKey: keyOf(listAudit, { query: filters }),
    queryFn: ({ pageParam, signal }) =>
      api.call(listAudit, { query: { ...filters, limit: 50, ...(pageParam === "" ? {} : { cursor: pageParam }) }, signal }),
    initialPageParam: "",
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const entries = audit.data?.pages.flatMap((page) => page.entries) ?? [];
  const exportUrl = (format: "csv" | "jsonl"): string => routeUrl(exportAudit, {}, { ...filters, format });
  return (
    <>
      <PageHeader
        title="Audit trail"
        about="Who did what, and what was refused."
        actions={
          <Menu>
            <Menu.Target>
              <Button variant="default" leftSection={<IconDownload size={16} />}>
                Export
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component="a" href={exportUrl("csv")} download>
                As a table (CSV)
              </Menu.Item>
              <Menu.Item component="a" href={exportUrl("jsonl")} download>
                As JSON lines
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        }
      />
      <Section isFlush>
        <Group p="md" gap="sm">
          <TextInput size="xs" label="Who" placeholder="address" value={actor} onChange={(event) => setActor(event.currentTarget.value)} />
          <TextInput
            size="xs"
            label="Action"
            placeholder="such as people or jobs.abort"
            value={action}
            onChange={(event) => setAction(event.currentTarget.value)}
          />
          <Select
            size="xs"
            label="Outcome"
            placeholder="any"
            clearable
            data={[...outcomes]}
            value={outcome ?? null}
            onChange={(value) => choose(value ?? "")}
            w={130}
          />
          <Select
            size="xs"
            label="Within"
            placeholder="all time"
            clearable
            data={[
              { value: "day", label: "a day" },
              { value: "week", label: "a week" },
              { value: "month", label: "30 days" },
            ]}
            value={span === "" ? null : span}
            onChange={(value) => {
              setSpan(value ?? "");
              setSince(beginOf(value ?? ""));
            }}
            w={130}
          />
        </Group>
        {audit.error !== null && <ErrorPanel error={audit.error} onRetry={() => void audit.refetch()} />}
        {audit.error !== null && entries.length === 0 ? null : !audit.isPending && entries.length === 0 ? (
          <EmptyState icon={<IconHistory size={24} />} title="Nothing found">
            No entry matches these filters.
          </EmptyState>
        ) : (
          <AuditTable entries={entries} />
        )}
        {audit.hasNextPage && (
          <Group justify="center" p="md">
            <Button variant="default" loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
              Earlier entries
            </Button>
          </Group>
        )}
      </Section>
    </>
  );
}

/** Where a span that ends now begins; nothing for none. */
function beginOf(span: string): number | undefined {
  const ms = spans[span];
  return ms === undefined ? undefined : Date.now() - ms;
}

function AuditTable({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <DataTable
      label="Audit trail"
      rows={entries}
      keyOf={({ id }) => id}
      columns={[
        { title: "When", cell: ({ atMs }) => <span style={{ whiteSpace: "nowrap" }}>{formatMoment(atMs)}</span> },
        { title: "Who", cell: ({ actor }) => actor },
        { title: "Action", cell: ({ action }) => <span className="mono">{action}</span> },
        {
          title: "On",
          cell: ({ subject, facts }) => (
            <>
              {subject}
              {Object.keys(facts).length > 0 && (
                <Text size="xs" c="dimmed">
                  {Object.entries(facts)
                    .map(([name, value]) => `${name} ${value}`)
                    .join(" · ")}
                </Text>
              )}
            </>
          ),
        },
        { title: "Outcome", cell: ({ outcome }) => <StatusPill tone={outcome === "done" ? "good" : "bad"}>{outcome}</StatusPill> },
        { title: "From", cell: ({ address }) => address },
      ]}
    />
  );
}
