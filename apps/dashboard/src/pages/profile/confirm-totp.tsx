import { confirmTotp, getMe, getSession } from "@flare-ts/dashboard-api/contract";
import { Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { ApiForm } from "../../components/api-form.js";
import { CopyField } from "../../components/copy-field.js";
import { QrCode } from "../../components/qr-code.js";

export interface ConfirmTotpProps {
  readonly secret: string;
  readonly uri: string;
  readonly onDone: (recoveryCodes: readonly string[]) => void;
}

/** Shows the secret to an app, and takes the first code as proof that it arrived. */
export function ConfirmTotp({ secret, uri, onDone }: ConfirmTotpProps) {
  const form = useForm({ initialValues: { code: "" } });
  return (
    <ApiForm
      form={form}
      route={confirmTotp}
      toInput={(body) => ({ body })}
      submit="Turn on"
      changes={[getMe, getSession]}
      onAnswer={({ recoveryCodes }) => onDone(recoveryCodes)}
    >
      <Text size="sm">Scan this with your app, or type the secret into it. Then enter the code that it shows.</Text>
      <Group justify="center">
        <QrCode text={uri} label="QR code with the secret for your app" />
      </Group>
      <Stack gap="sm">
        <CopyField label="Secret" value={secret} />
        <TextInput label="Code of your app" autoComplete="one-time-code" className="mono" data-autofocus {...form.getInputProps("code")} />
      </Stack>
    </ApiForm>
  );
}
