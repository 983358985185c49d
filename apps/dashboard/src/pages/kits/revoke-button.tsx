import { type IssuedKit, revocationReasons } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";

/** Why a certificate is taken back. */
type Reason = (typeof revocationReasons)[number];

export interface RevokeButtonProps {
  readonly participant: IssuedKit["participant"];
  readonly size?: string;
  readonly onRevoke: (reason: Reason) => void;
}

const words: Readonly<Record<Reason, string>> = {
  keyCompromise: "The key may be in the wrong hands",
  cACompromise: "The CA's key may be in the wrong hands",
  affiliationChanged: "The participant belongs to somebody else now",
  superseded: "Another kit takes its place",
  cessationOfOperation: "It is not needed any more",
  privilegeWithdrawn: "The participant may not take part any more",
  unspecified: "Another reason",
};

/** Takes a certificate back after a question for the reason. */
export function RevokeButton({ participant, size = "sm", onRevoke }: RevokeButtonProps) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [reason, setReason] = useState<Reason>("cessationOfOperation");
  return (
    <>
      <Button size={size} variant="default" c="var(--ink-bad)" onClick={open}>
        Revoke
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={`Revoke the certificate of ${participant}?`}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Stack gap="md">
          <Text size="sm">It is cut off at once and for good. To take part again it needs a new kit.</Text>
          <Select
            label="Reason"
            allowDeselect={false}
            data={revocationReasons.map((value) => ({ value, label: words[value] }))}
            value={reason}
            onChange={(value) => value !== null && setReason(value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close} data-autofocus>
              Keep it
            </Button>
            <Button
              color="red"
              onClick={() => {
                close();
                onRevoke(reason);
              }}
            >
              Revoke
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
