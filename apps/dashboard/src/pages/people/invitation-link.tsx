import { Stack, Text } from "@mantine/core";
import { CopyField } from "../../components/copy-field.js";

/** The link of an invitation, to be passed on by hand. */
export function InvitationLink({ link }: { readonly link: string }) {
  return (
    <Stack gap="sm">
      <Text size="sm">Pass this link on by a way that you trust. It works once, and it is shown this once.</Text>
      <CopyField label="Invitation link" value={link} />
    </Stack>
  );
}
