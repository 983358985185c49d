import { beginTotp, getMe, getSession, type Profile, removeTotp, renewRecoveryCodes } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ApiForm } from "../../components/api-form.js";
import { Section } from "../../components/section.js";
import { StatusPill } from "../../components/status-pill.js";
import { ConfirmTotp } from "./confirm-totp.js";
import { RecoveryCodes } from "./recovery-codes.js";

type Dialog = "begin" | "confirm" | "codes" | "renew" | "remove" | null;

/** The second factor: turned on by a code of an app, with recovery codes for the day the device is lost. */
export function SecondFactorSection({ profile }: { readonly profile: Profile }) {
  const [dialog, setDialog] = useState<Dialog>(null);
  const [secret, setSecret] = useState({ secret: "", uri: "" });
  const [codes, setCodes] = useState<readonly string[]>([]);
  const close = (): void => setDialog(null);
  const show = (recoveryCodes: readonly string[]): void => {
    setCodes(recoveryCodes);
    setDialog("codes");
  };
  const isOn = profile.hasSecondFactor;
  return (
    <Section
      title="Second factor"
      about="A code of an app on your phone, beside your password."
      actions={<StatusPill tone={isOn ? "good" : "idle"}>{isOn ? "on" : "off"}</StatusPill>}
    >
      {isOn ? (
        <Group justify="space-between">
          <Text size="sm" c={profile.recoveryCodesLeft <= 2 ? "var(--ink-warn)" : "dimmed"}>
            {profile.recoveryCodesLeft} recovery codes are left.
          </Text>
          <Group gap="xs">
            <Button variant="default" onClick={() => setDialog("renew")}>
              New recovery codes
            </Button>
            <Button variant="default" onClick={() => setDialog("remove")}>
              Turn off
            </Button>
          </Group>
        </Group>
      ) : (
        <Button onClick={() => setDialog("begin")}>Turn on</Button>
      )}
      <Modal opened={dialog === "begin"} onClose={close} title="Turn on the second factor" closeButtonProps={{ "aria-label": "Close" }}>
        <BeginForm
          hasPassword={profile.hasPassword}
          onDone={(made) => {
            setSecret(made);
            setDialog("confirm");
          }}
        />
      </Modal>
      <Modal opened={dialog === "confirm"} onClose={close} title="Scan and confirm" closeButtonProps={{ "aria-label": "Close" }}>
        <ConfirmTotp secret={secret.secret} uri={secret.uri} onDone={show} />
      </Modal>
      <Modal opened={dialog === "codes"} onClose={close} title="Your recovery codes" closeButtonProps={{ "aria-label": "Close" }}>
        <RecoveryCodes codes={codes} onDone={close} />
      </Modal>
      <Modal opened={dialog === "renew"} onClose={close} title="New recovery codes" closeButtonProps={{ "aria-label": "Close" }}>
        <CodeForm route={renewRecoveryCodes} submit="Make new codes" onDone={(answer) => show(answer?.recoveryCodes ?? [])} />
      </Modal>
      <Modal opened={dialog === "remove"} onClose={close} title="Turn the second factor off?" closeButtonProps={{ "aria-label": "Close" }}>
        <CodeForm route={removeTotp} submit="Turn off" onDone={close} />
      </Modal>
    </Section>
  );
}

function BeginForm({
  hasPassword,
  onDone,
}: {
  readonly hasPassword: boolean;
  readonly onDone: (made: { readonly secret: string; readonly uri: string }) => void;
}) {
  const form = useForm({ initialValues: { password: "" } });
  return (
    <ApiForm
      form={form}
      route={beginTotp}
      toInput={({ password }) => ({ body: hasPassword ? { password } : {} })}
      submit="Continue"
      onDone={onDone}
    >
      {hasPassword ? (
        <PasswordInput
          label="Your password"
          autoComplete="current-password"
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
          data-autofocus
          {...form.getInputProps("password")}
        />
      ) : (
        <Text size="sm">You will need an app that gives codes, such as one that keeps passwords.</Text>
      )}
    </ApiForm>
  );
}

function CodeForm({
  route,
  submit,
  onDone,
}: {
  readonly route: typeof removeTotp | typeof renewRecoveryCodes;
  readonly submit: string;
  readonly onDone: (answer: { readonly recoveryCodes: readonly string[] } | undefined) => void;
}) {
  const form = useForm({ initialValues: { code: "" } });
  return (
    <ApiForm form={form} route={route} toInput={(body) => ({ body })} submit={submit} changes={[getMe, getSession]} onAnswer={onDone}>
      <Stack gap={4}>
        <TextInput label="Code of your app" autoComplete="one-time-code" className="mono" data-autofocus {...form.getInputProps("code")} />
      </Stack>
    </ApiForm>
  );
}
