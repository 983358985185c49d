import { Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { CopyField } from "../../components/copy-field.js";

export interface RecoveryCodesProps {
  readonly codes: readonly string[];
  readonly onDone: () => void;
}

/** The recovery codes, shown this once. */
export function RecoveryCodes({ codes, onDone }: RecoveryCodesProps) {
  return (
    <Stack gap="md">
      <Text size="sm">
        Each of these lets you in once if your device is lost. Keep them where the device is not. They are shown this once.
      </Text>
      <SimpleGrid cols={2} spacing={4}>
        {codes.map((code) => (
          <span key={code} className="mono">
            {code}
          </span>
        ))}
      </SimpleGrid>
      <CopyField label="All codes" value={codes.join(" ")} />
      <Group justify="flex-end">
        <Button onClick={onDone}>I have kept them</Button>
      </Group>
    </Stack>
  );
}
