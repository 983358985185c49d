import { Text } from "@mantine/core";

/** What to do on a dashboard that nobody has set up yet. */
export function SetUpHint() {
  return (
    <Text component="span" inherit>
      Nobody has set this dashboard up yet. Open the set-up link that it printed where it was started; whoever opens it becomes the project
      admin.
    </Text>
  );
}
