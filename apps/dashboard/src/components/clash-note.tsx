import { Alert, Button, Group, List, Text } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import type { Clash } from "../api/use-shared-form.js";

export interface ClashNoteProps {
  readonly clash: Clash;
  /** What fields are called, by their path. */
  readonly labels: Readonly<Record<string, string>>;
  readonly onDecide: (whose: "mine" | "theirs") => void;
}

/** Says what somebody else saved while a form was being filled, and asks whose counts. */
export function ClashNote({ clash: { by, fields }, labels, onDecide }: ClashNoteProps) {
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconUsers size={18} />}
      title={`${by ?? "Somebody else"} changed this in the meantime`}
      role="alert"
    >
      <Text size="sm">What you typed is still here. Saved by now is:</Text>
      <List size="sm" my={4}>
        {fields.map(({ path, theirs }) => (
          <List.Item key={path}>
            {labels[path] ?? path.split(".").at(-1)}: {textOf(theirs)}
          </List.Item>
        ))}
      </List>
      <Group gap="xs" mt="xs">
        <Button size="compact-sm" variant="default" onClick={() => onDecide("mine")}>
          Keep what I typed
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => onDecide("theirs")}>
          Take theirs
        </Button>
      </Group>
    </Alert>
  );
}

function textOf(value: unknown): string {
  if (value === "" || value === null || value === undefined) return "nothing";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(textOf).join(", ");
  // Of a question or a study its first field is its name.
  if (typeof value === "object") return textOf(Object.values(value)[0]);
  return typeof value === "string" ? value : JSON.stringify(value);
}
