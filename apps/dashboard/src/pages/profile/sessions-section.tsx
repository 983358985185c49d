import { endMySession, listMySessions } from "@flare-ts/dashboard-api/contract";
import { Button } from "@mantine/core";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { DataTable } from "../../components/data-table.js";
import { Loaded } from "../../components/loaded.js";
import { Moment } from "../../components/moment.js";
import { Section } from "../../components/section.js";
import { StatusPill } from "../../components/status-pill.js";
import { describeBrowser } from "./describe-browser.js";

/** Where one is signed in, and a way to end each. */
export function SessionsSection() {
  const sessions = useApiQuery(listMySessions, {});
  const end = useApiMutation(endMySession, { changes: [listMySessions], done: "The session is ended" });
  return (
    <Section title="Sessions" about="Where you are signed in. End those that you do not know." isFlush>
      <Loaded query={sessions}>
        {(answer) => (
          <DataTable
            label="Sessions"
            rows={answer.sessions}
            keyOf={({ id }) => id}
            columns={[
              { title: "Browser", cell: ({ userAgent }) => <span title={userAgent}>{describeBrowser(userAgent)}</span> },
              { title: "Address", cell: ({ address }) => address },
              { title: "Signed in", cell: ({ createdAtMs }) => <Moment atMs={createdAtMs} /> },
              { title: "Last seen", cell: ({ lastSeenAtMs }) => <Moment atMs={lastSeenAtMs} /> },
              {
                title: "Actions",
                isRight: true,
                isTitleHidden: true,
                cell: ({ id, isThisOne }) =>
                  isThisOne ? (
                    <StatusPill tone="good">this one</StatusPill>
                  ) : (
                    <Button size="compact-sm" variant="default" onClick={() => end.mutate({ params: { id } })}>
                      End
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}
