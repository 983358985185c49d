import { invite, listInvitations, type Role } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Checkbox, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useSession } from "../../api/use-session.js";
import { ApiForm } from "../../components/api-form.js";
import { InvitationLink } from "./invitation-link.js";
import { roleChoices, roleTasks } from "./role-titles.js";

export interface InviteDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

const mostDays = 30;

interface InviteValues extends Record<string, unknown> {
  email: string;
  role: Role;
  organization: string;
  days: number | string;
  approvesAtOnce: boolean;
}

/** Invites a person; where no mail goes out, it shows the link to pass on. */
export function InviteDialog({ isOpen, onClose }: InviteDialogProps) {
  const hasMail = useSession().data?.hasMail ?? false;
  const [sent, setSent] = useState<{ readonly link: string | null; readonly email: string } | null>(null);
  const form = useForm<InviteValues>({
    initialValues: { email: "", role: "org_admin", organization: "", days: 7, approvesAtOnce: false },
    validate: { days: (days) => (typeof days === "number" && days >= 1 && days <= mostDays ? null : `must be 1 to ${mostDays} days`) },
  });
  const close = (): void => {
    onClose();
    setSent(null);
    form.reset();
  };
  return (
    <Modal
      // Closed while it was under way it opens again: the link is shown this once.
      opened={isOpen || sent !== null}
      onClose={close}
      title={sent === null ? "Invite someone" : "Invited"}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {sent !== null ? (
        <Stack gap="md">
          {sent.link === null ? (
            <Alert color="green" variant="light">
              The invitation is on its way to {sent.email}.
            </Alert>
          ) : (
            <InvitationLink link={sent.link} />
          )}
          <Group justify="flex-end" gap="xs">
            <Button
              variant="default"
              onClick={() => {
                setSent(null);
                form.reset();
              }}
            >
              Invite another
            </Button>
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      ) : (
        <ApiForm
          form={form}
          route={invite}
          toInput={({ email, role, organization, days, approvesAtOnce }) => ({
            body: {
              ...(email === "" ? {} : { email }),
              role,
              organization,
              expiresInHours: Math.round(Number(days) * 24),
              approvesAtOnce,
            },
          })}
          submit={hasMail ? "Send invitation" : "Make link"}
          changes={[listInvitations]}
          onAnswer={({ link, invitation }) => setSent({ link, email: invitation.email ?? "" })}
        >
          <TextInput
            label="E-mail address"
            type="email"
            description={
              hasMail
                ? "Leave it empty for a link that you pass on yourself."
                : "No mail goes out: you get a link to pass on. With an address only they can use it."
            }
            data-autofocus
            {...form.getInputProps("email")}
          />
          <Select
            label="Role"
            data={[...roleChoices]}
            allowDeselect={false}
            description={`A person who ${roleTasks[form.values.role]}.`}
            {...form.getInputProps("role")}
          />
          <TextInput
            label="Organisation"
            description="Letters, digits and _, such as univ_hospital."
            {...form.getInputProps("organization")}
          />
          <NumberInput label="Good for" suffix=" days" min={1} max={mostDays} {...form.getInputProps("days")} />
          <Checkbox
            label="Approve at once"
            description="They are let in as soon as they have signed up."
            {...form.getInputProps("approvesAtOnce", { type: "checkbox" })}
          />
          <Text size="xs" c="dimmed">
            You can withdraw the invitation while it is open.
          </Text>
        </ApiForm>
      )}
    </Modal>
  );
}
