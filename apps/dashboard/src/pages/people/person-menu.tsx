import { listPeople, type Person, removePersonSecondFactor, resetPersonPassword, updatePerson } from "@flare-ts/dashboard-api/contract";
import { ActionIcon, Button, Group, Menu, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { IconDots } from "@tabler/icons-react";
import { useState } from "react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { ApiForm } from "../../components/api-form.js";
import { CopyField } from "../../components/copy-field.js";
import { roleChoices } from "./role-titles.js";

/** A change of a person. */
export interface PersonChange {
  readonly decision?: "approve" | "reject" | "disable" | "enable";
}

export interface PersonMenuProps {
  readonly person: Person;
  readonly isMe: boolean;
  readonly onDecide: (change: PersonChange) => void;
  readonly onRemove: () => void;
}

/** All that can be done with a person. */
export function PersonMenu({ person, isMe, onDecide, onRemove }: PersonMenuProps) {
  const [dialog, setDialog] = useState<"edit" | "remove" | "link" | null>(null);
  const [link, setLink] = useState("");
  const reset = useApiMutation(resetPersonPassword, {
    onDone: (output) => {
      if (output.link === null) notifications.show({ message: `A link went to ${person.email}.`, color: "green" });
      else {
        setLink(output.link);
        setDialog("link");
      }
    },
  });
  const dropFactor = useApiMutation(removePersonSecondFactor, { changes: [listPeople], done: "The second factor is off" });
  const close = (): void => setDialog(null);
  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon aria-label={`More for ${person.name}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setDialog("edit")}>Edit role and organisation</Menu.Item>
          <Menu.Item onClick={() => reset.mutate({ params: { id: person.id } })}>Make a link for a new password</Menu.Item>
          {person.hasSecondFactor && (
            <Menu.Item onClick={() => dropFactor.mutate({ params: { id: person.id } })}>Turn off the second factor</Menu.Item>
          )}
          {!isMe && person.state === "approved" && <Menu.Item onClick={() => onDecide({ decision: "disable" })}>Disable</Menu.Item>}
          {person.state === "disabled" && <Menu.Item onClick={() => onDecide({ decision: "enable" })}>Enable</Menu.Item>}
          {person.state === "rejected" && <Menu.Item onClick={() => onDecide({ decision: "approve" })}>Approve after all</Menu.Item>}
          {!isMe && (
            <>
              <Menu.Divider />
              <Menu.Item c="var(--ink-bad)" onClick={() => setDialog("remove")}>
                Remove account
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={dialog === "edit"} onClose={close} title={`Edit ${person.name}`} closeButtonProps={{ "aria-label": "Close" }}>
        <EditPerson person={person} onDone={close} />
      </Modal>
      <Modal opened={dialog === "link"} onClose={close} title="Link for a new password" closeButtonProps={{ "aria-label": "Close" }}>
        <Stack gap="sm">
          <Text size="sm">Pass this link on to {person.name}. It is shown this once.</Text>
          <CopyField label="Link" value={link} />
        </Stack>
      </Modal>
      <Modal opened={dialog === "remove"} onClose={close} title={`Remove ${person.name}?`} closeButtonProps={{ "aria-label": "Close" }}>
        <Text size="sm">Their sessions end at once. What they did stays in the audit trail. They can be invited again.</Text>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep the account
          </Button>
          <Button
            color="red"
            onClick={() => {
              close();
              onRemove();
            }}
          >
            Remove account
          </Button>
        </Group>
      </Modal>
    </>
  );
}

function EditPerson({ person, onDone }: { readonly person: Person; readonly onDone: () => void }) {
  const form = useForm({ initialValues: { name: person.name, organization: person.organization, role: person.role } });
  return (
    <ApiForm
      form={form}
      route={updatePerson}
      toInput={(body) => ({ params: { id: person.id }, body })}
      submit="Save"
      changes={[listPeople]}
      done="Saved"
      onDone={onDone}
    >
      <TextInput label="Name" {...form.getInputProps("name")} />
      <TextInput label="Organisation" {...form.getInputProps("organization")} />
      <Select label="Role" data={[...roleChoices]} allowDeselect={false} {...form.getInputProps("role")} />
    </ApiForm>
  );
}
