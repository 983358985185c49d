import { Button, type ButtonProps, Group, Modal, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

export interface ConfirmButtonProps extends ButtonProps {
  /** The question, such as `Abort this job?` */
  readonly question: string;
  /** What will happen, and whether it can be taken back. */
  readonly consequence: ReactNode;
  /** What the button that does it says. */
  readonly verb: string;
  readonly onConfirm: () => void;
  readonly children: ReactNode;
}

/** A button for what cannot be taken back: it asks first. */
export function ConfirmButton({ question, consequence, verb, onConfirm, children, ...button }: ConfirmButtonProps) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" {...button} onClick={open}>
        {children}
      </Button>
      <Modal opened={isOpen} onClose={close} title={question} closeButtonProps={{ "aria-label": "Close" }}>
        <Text size="sm" component="div">
          {consequence}
        </Text>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button
            color="red"
            onClick={() => {
              close();
              onConfirm();
            }}
          >
            {verb}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
