import { ActionIcon, CopyButton, Group, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import classes from "./copy-field.module.css";

export interface CopyFieldProps {
  /** What the text is, such as `Passphrase`. */
  readonly label: string;
  readonly value: string;
}

/** A text to pass on, with a button that copies it. */
export function CopyField({ label, value }: CopyFieldProps) {
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        {label}
      </Text>
      <Group className={classes["field"]} wrap="nowrap" gap={4}>
        <code className={classes["value"]}>{value}</code>
        <CopyButton value={value} timeout={1500}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? "Copied" : "Copy"}>
              <ActionIcon aria-label={copied ? `${label} copied` : `Copy ${label.toLowerCase()}`} onClick={copy}>
                {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </Group>
    </div>
  );
}
