import { type Invitation, listInvitations, resendInvitation, revokeInvitation } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Modal, Table, Text } from "@mantine/core";
import { IconMailForward, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useSearch } from "wouter";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { EmptyState } from "../../components/empty-state.js";
import { Loaded } from "../../components/loaded.js";
import { Moment } from "../../components/moment.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { StatusPill, type Tone } from "../../components/status-pill.js";
import { InviteDialog } from "./invite-dialog.js";
import { InvitationLink } from "./invitation-link.js";
import { roleTitle } from "./role-titles.js";

const looks: Readonly<Record<Invitation["state"], Tone>> = { open: "live", used: "good", expired: "idle", revoked: "idle" };

/** Invitations that are out, and what became of them. */
export function InvitationsPage() {
  const search = useSearch();
  const invitations = useApiQuery(listInvitations, {});
  const [isInviting, setInviting] = useState(search.includes("new"));
  const [link, setLink] = useState<string | null>(null);
  const resend = useApiMutation(resendInvitation, {
    changes: [listInvitations],
    done: "There is a new link; the earlier one stopped working",
    onDone: (sent) => setLink(sent.link),
  });
  const revoke = useApiMutation(revokeInvitation, { changes: [listInvitations], done: "The invitation is withdrawn" });
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setInviting(true)}>
      Invite someone
    </Button>
  );
  return (
    <>
      <PageHeader title="Invitations" about="People join by an invitation that carries their role and organisation." actions={button} />
      <Section isFlush>
        <Loaded query={invitations}>
          {({ invitations: all }) =>
            all.length === 0 ? (
              <EmptyState icon={<IconMailForward size={24} />} title="Nobody is invited yet" action={button}>
                Invite an organisation admin for each institution: they bring their sites. Leads submit jobs.
              </EmptyState>
            ) : (
              <Table.ScrollContainer minWidth={720} type="native">
                <Table verticalSpacing="xs" horizontalSpacing="md" highlightOnHover aria-label="Invitations">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>For</Table.Th>
                      <Table.Th>Role</Table.Th>
                      <Table.Th>Organisation</Table.Th>
                      <Table.Th>State</Table.Th>
                      <Table.Th>Ends</Table.Th>
                      <Table.Th ta="right">Actions</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {all.map((one) => (
                      <Table.Tr key={one.id}>
                        <Table.Td>
                          <Text size="sm" fw={550}>
                            {one.email ?? "whoever has the link"}
                          </Text>
                          <Text size="xs" c="dimmed">
                            by {one.invitedBy}, <Moment atMs={one.createdAtMs} />
                          </Text>
                        </Table.Td>
                        <Table.Td>{roleTitle(one.role)}</Table.Td>
                        <Table.Td>{one.organization}</Table.Td>
                        <Table.Td>
                          <StatusPill tone={looks[one.state]}>{one.state}</StatusPill>
                        </Table.Td>
                        <Table.Td c="dimmed">{one.state === "open" ? <Moment atMs={one.expiresAtMs} /> : "–"}</Table.Td>
                        <Table.Td>
                          {(one.state === "open" || one.state === "expired") && (
                            <Group gap="xs" justify="flex-end" wrap="nowrap">
                              <Button size="compact-sm" variant="default" onClick={() => resend.mutate({ params: { id: one.id } })}>
                                New link
                              </Button>
                              {one.state === "open" && (
                                <ConfirmButton
                                  size="compact-sm"
                                  question="Withdraw this invitation?"
                                  consequence="Its link stops working at once."
                                  verb="Withdraw"
                                  onConfirm={() => revoke.mutate({ params: { id: one.id } })}
                                >
                                  Withdraw
                                </ConfirmButton>
                              )}
                            </Group>
                          )}
                        </Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
            )
          }
        </Loaded>
      </Section>
      <InviteDialog isOpen={isInviting} onClose={() => setInviting(false)} />
      <Modal opened={link !== null} onClose={() => setLink(null)} title="The new link" closeButtonProps={{ "aria-label": "Close" }}>
        <InvitationLink link={link ?? ""} />
      </Modal>
    </>
  );
}
