import { type Invitation, listInvitations, resendInvitation, revokeInvitation } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Modal, Text } from "@mantine/core";
import { IconMailForward, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { DataTable } from "../../components/data-table.js";
import { EmptyState } from "../../components/empty-state.js";
import { Loaded } from "../../components/loaded.js";
import { Moment } from "../../components/moment.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { StatusPill, type Tone } from "../../components/status-pill.js";
import { useNewDialog } from "../../components/use-address-value.js";
import { InvitationLink } from "./invitation-link.js";
import { InviteDialog } from "./invite-dialog.js";
import { roleTitle } from "./role-titles.js";

const looks: Readonly<Record<Invitation["state"], Tone>> = { open: "live", used: "good", expired: "idle", revoked: "idle" };

/** Invitations that are out, and what became of them. */
export function InvitationsPage() {
  const me = usePerson();
  const invitations = useApiQuery(listInvitations, {});
  const [isInviting, setInviting] = useNewDialog();
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
              <DataTable
                label="Invitations"
                rows={all}
                keyOf={({ id }) => id}
                columns={[
                  { title: "For", cell: (one) => <Invited invitation={one} /> },
                  { title: "Role", cell: ({ role }) => roleTitle(role) },
                  { title: "Organisation", cell: ({ organization }) => organization },
                  { title: "State", cell: ({ state }) => <StatusPill tone={looks[state]}>{state}</StatusPill> },
                  { title: "Ends", cell: ({ state, expiresAtMs }) => (state === "open" ? <Moment atMs={expiresAtMs} /> : "–") },
                  {
                    title: "Actions",
                    isRight: true,
                    isTitleHidden: true,
                    cell: ({ id, state }) =>
                      (state === "open" || state === "expired") && (
                        <Group gap="xs" wrap="nowrap">
                          <Button size="compact-sm" variant="default" onClick={() => resend.mutate({ params: { id } })}>
                            New link
                          </Button>
                          {state === "open" && (
                            <ConfirmButton
                              size="compact-sm"
                              question="Withdraw this invitation?"
                              consequence="Its link stops working at once."
                              verb="Withdraw"
                              onConfirm={() => revoke.mutate({ params: { id } })}
                            >
                              Withdraw
                            </ConfirmButton>
                          )}
                        </Group>
                      ),
                  },
                ]}
              />
            )
          }
        </Loaded>
      </Section>
      <InviteDialog isOpen={isInviting && me.role === "project_admin"} onClose={() => setInviting(false)} />
      <Modal opened={link !== null} onClose={() => setLink(null)} title="The new link" closeButtonProps={{ "aria-label": "Close" }}>
        <InvitationLink link={link ?? ""} />
      </Modal>
    </>
  );
}

function Invited({ invitation }: { readonly invitation: Invitation }) {
  return (
    <>
      <Text size="sm" fw={550}>
        {invitation.email ?? "whoever has the link"}
      </Text>
      <Text size="xs" c="dimmed">
        by {invitation.invitedBy}, <Moment atMs={invitation.createdAtMs} />
      </Text>
    </>
  );
}
