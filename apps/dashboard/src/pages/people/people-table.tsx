import type { Person } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Table, Text } from "@mantine/core";
import { Moment } from "../../components/moment.js";
import { PersonMenu, type PersonChange } from "./person-menu.js";
import { PersonState } from "./person-state.js";
import { roleTitle } from "./role-titles.js";

export interface PeopleTableProps {
  readonly people: readonly Person[];
  readonly me: { readonly id: string };
  readonly canChange: boolean;
  readonly onDecide: (id: string, change: PersonChange) => void;
  readonly onRemove: (id: string) => void;
}

/** People in rows; those who wait have their decision at hand. */
export function PeopleTable({ people, me, canChange, onDecide, onRemove }: PeopleTableProps) {
  return (
    <Table.ScrollContainer minWidth={720} type="native">
      <Table verticalSpacing="xs" horizontalSpacing="md" highlightOnHover aria-label="People">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Organisation</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Last seen</Table.Th>
            {canChange && <Table.Th ta="right">Actions</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {people.map((person) => (
            <Table.Tr key={person.id}>
              <Table.Td>
                <Text fw={550} size="sm">
                  {person.name}
                  {person.id === me.id && (
                    <Text span c="dimmed" size="sm">
                      {" "}
                      (you)
                    </Text>
                  )}
                </Text>
                <Text size="xs" c="dimmed">
                  {person.email}
                </Text>
              </Table.Td>
              <Table.Td>{person.organization}</Table.Td>
              <Table.Td>{roleTitle(person.role)}</Table.Td>
              <Table.Td>
                <PersonState state={person.state} />
              </Table.Td>
              <Table.Td c="dimmed">{person.lastSignInAtMs === null ? "never" : <Moment atMs={person.lastSignInAtMs} />}</Table.Td>
              {canChange && (
                <Table.Td>
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    {person.state === "pending" && (
                      <>
                        <Button size="compact-sm" onClick={() => onDecide(person.id, { decision: "approve" })}>
                          Approve
                        </Button>
                        <Button size="compact-sm" variant="default" onClick={() => onDecide(person.id, { decision: "reject" })}>
                          Reject
                        </Button>
                      </>
                    )}
                    <PersonMenu
                      person={person}
                      isMe={person.id === me.id}
                      onDecide={(change) => onDecide(person.id, change)}
                      onRemove={() => onRemove(person.id)}
                    />
                  </Group>
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
