import { listInvitations, listPeople, type Person, removePerson, updatePerson } from "@flare-ts/dashboard-api/contract";
import { Button } from "@mantine/core";
import { IconMailForward, IconUsers } from "@tabler/icons-react";
import { Link } from "wouter";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { EmptyState } from "../../components/empty-state.js";
import { type Filters, holdsText, ListFilters, useFilters } from "../../components/list-filters.js";
import { Loaded } from "../../components/loaded.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { PeopleTable } from "./people-table.js";

/** Who is in the project, who waits, and what their roles are. */
export function PeoplePage() {
  const me = usePerson();
  const people = useApiQuery(listPeople, {});
  const filters = useFilters();
  const { view, text } = filters;
  const decide = useApiMutation(updatePerson, { changes: [listPeople], done: "Saved" });
  const remove = useApiMutation(removePerson, { changes: [listPeople, listInvitations], done: "The account is removed" });
  const isAdmin = me.role === "project_admin";
  return (
    <>
      <PageHeader
        title="People"
        about={isAdmin ? "Approve who signed up, and set what each may do." : "People of your organisation."}
        actions={
          isAdmin && (
            <Button component={Link} href="/invitations?new" leftSection={<IconMailForward size={16} />}>
              Invite
            </Button>
          )
        }
      />
      <Section isFlush>
        <Loaded query={people}>
          {({ people: all }) => {
            const shown = all.filter((person) => (view === "all" || person.state === view) && matches(person, filters));
            const waiting = all.filter(({ state }) => state === "pending").length;
            return (
              <>
                <ListFilters
                  filters={filters}
                  label="State"
                  views={[
                    { value: "all", label: `All ${all.length}` },
                    { value: "pending", label: `Waiting ${waiting}` },
                    { value: "approved", label: "Approved" },
                    { value: "disabled", label: "Disabled" },
                  ]}
                  search="Search people"
                  placeholder="Name, address or organisation"
                />
                {shown.length === 0 ? (
                  <EmptyState icon={<IconUsers size={24} />} title={view === "pending" ? "Nobody waits" : "Nobody is here"}>
                    {text === "" ? "People appear here once they have signed up by an invitation." : "Nobody matches what you search for."}
                  </EmptyState>
                ) : (
                  <PeopleTable
                    people={shown}
                    me={me}
                    canChange={isAdmin}
                    onDecide={(id, body) => decide.mutate({ params: { id }, body })}
                    onRemove={(id) => remove.mutate({ params: { id } })}
                  />
                )}
              </>
            );
          }}
        </Loaded>
      </Section>
    </>
  );
}

function matches({ name, email, organization }: Person, filters: Filters): boolean {
  return holdsText([name, email, organization], filters);
}
