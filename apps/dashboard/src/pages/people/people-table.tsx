import type { Person } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Text } from "@mantine/core";
import { type Column, DataTable } from "../../components/data-table.js";
import { Moment } from "../../components/moment.js";
import { type PersonChange, PersonMenu } from "./person-menu.js";
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
  const actions: Column<Person> = {
    title: "Actions",
    isRight: true,
    isTitleHidden: true,
    cell: (person) => (
      <Group gap="xs" wrap="nowrap">
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
    ),
  };
  return (
    <DataTable
      label="People"
      rows={people}
      keyOf={({ id }) => id}
      columns={[
        { title: "Name", cell: (person) => <Name person={person} isMe={person.id === me.id} /> },
        { title: "Organisation", cell: ({ organization }) => organization },
        { title: "Role", cell: ({ role }) => roleTitle(role) },
        { title: "State", cell: ({ state }) => <PersonState state={state} /> },
        { title: "Last seen", cell: ({ lastSignInAtMs }) => (lastSignInAtMs === null ? "never" : <Moment atMs={lastSignInAtMs} />) },
        ...(canChange ? [actions] : []),
      ]}
    />
  );
}

function Name({ person, isMe }: { readonly person: Person; readonly isMe: boolean }) {
  return (
    <>
      <Text fw={550} size="sm">
        {person.name}
        {isMe && (
          <Text span c="dimmed" size="sm">
            {" (you)"}
          </Text>
        )}
      </Text>
      <Text size="xs" c="dimmed">
        {person.email}
      </Text>
    </>
  );
}
