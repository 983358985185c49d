import { endMySession, listMySessions } from "@flare-ts/dashboard-api/contract";
import { Button, Table, Text } from "@mantine/core";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
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
          <Table.ScrollContainer minWidth={560} type="native">
            <Table verticalSpacing="xs" horizontalSpacing="md" aria-label="Sessions">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Browser</Table.Th>
                  <Table.Th>Address</Table.Th>
                  <Table.Th>Signed in</Table.Th>
                  <Table.Th>Last seen</Table.Th>
                  <Table.Th ta="right">Actions</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {answer.sessions.map((session) => (
                  <Table.Tr key={session.id}>
                    <Table.Td>
                      <Text size="sm" title={session.userAgent}>
                        {describeBrowser(session.userAgent)}
                      </Text>
                    </Table.Td>
                    <Table.Td>{session.address}</Table.Td>
                    <Table.Td>
                      <Moment atMs={session.createdAtMs} />
                    </Table.Td>
                    <Table.Td>
                      <Moment atMs={session.lastSeenAtMs} />
                    </Table.Td>
                    <Table.Td ta="right">
                      {session.isThisOne ? (
                        <StatusPill tone="good">this one</StatusPill>
                      ) : (
                        <Button size="compact-sm" variant="default" onClick={() => end.mutate({ params: { id: session.id } })}>
                          End
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Loaded>
    </Section>
  );
}
