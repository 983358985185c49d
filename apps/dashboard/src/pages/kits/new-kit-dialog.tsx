import { type CallOutput, type IssuedKit, type issueMyKit } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { CopyField } from "../../components/copy-field.js";
import { KitActions } from "./kit-actions.js";

/** A kit that was made just now. */
export type NewKit = CallOutput<typeof issueMyKit>;

export interface NewKitDialogProps {
  readonly made: NewKit | null;
  /** What is known of the kit by now; its archive goes when it is downloaded. */
  readonly kit?: IssuedKit | undefined;
  readonly onClose: () => void;
}

/** Shows the passphrase of a new kit, once, and offers its archive. */
export function NewKitDialog({ made, kit, onClose }: NewKitDialogProps) {
  const shown = kit ?? made?.kit;
  return (
    <Modal
      opened={made !== null}
      onClose={onClose}
      title={`The kit of ${shown?.participant ?? ""}`}
      closeOnClickOutside={false}
      // Escape is for what opens on top of it: this dialog would close as well.
      closeOnEscape={false}
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {made !== null && shown !== undefined && (
        <Stack gap="md">
          <Alert color="orange" variant="light">
            The passphrase is shown this once and kept nowhere. The archive holds a private key and can be downloaded once.
          </Alert>
          <CopyField label="Passphrase" value={made.passphrase} />
          {shown.archive === null ? <Text size="sm">The archive was handed out.</Text> : <KitActions kit={shown} />}
          <Text size="sm" c="dimmed">
            Unpack it with <span className="mono">7z x {made.kit.archive?.fileName ?? "kit.zip"}</span>, then run{" "}
            <span className="mono">{startCommand(shown)}</span>.
          </Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              I have kept the passphrase
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

/** What is run with a kit, once it is unpacked. */
function startCommand({ kind, participant }: IssuedKit): string {
  if (kind === "server") return `flare server start ${participant} --daemon`;
  if (kind === "site") return `flare client start ${participant} --daemon`;
  return `${participant}/startup/fl_admin.sh system status`;
}
