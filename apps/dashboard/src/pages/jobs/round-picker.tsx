import { ActionIcon, Button, Group, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";

export interface RoundPickerProps {
  /** Number of rounds so far. */
  readonly count: number;
  /** Rounds that the workflow does at most. */
  readonly total: number;
  /** Which one is shown, from 0. */
  readonly index: number;
  /** Whether the newest of the job is always shown. */
  readonly isFollowing: boolean;
  readonly onPick: (index: number | "latest") => void;
}

/** Leafs through the rounds of a workflow; on the newest it follows the job. */
export function RoundPicker({ count, total, index, isFollowing, onPick }: RoundPickerProps) {
  return (
    <Group gap={4} role="group" aria-label="Round">
      <ActionIcon variant="default" aria-label="Round before" disabled={index <= 0} onClick={() => onPick(index - 1)}>
        <IconChevronLeft size={16} />
      </ActionIcon>
      <Text size="sm" fw={550} miw={118} ta="center" aria-live="polite">
        Round {index + 1} of {Math.max(total, count)}
      </Text>
      <ActionIcon variant="default" aria-label="Round after" disabled={index >= count - 1} onClick={() => onPick(index + 1)}>
        <IconChevronRight size={16} />
      </ActionIcon>
      {!isFollowing && (
        <Button size="compact-sm" variant="light" ml={6} onClick={() => onPick("latest")}>
          Latest
        </Button>
      )}
    </Group>
  );
}
