import { getMe, getSession, linkInstitution, type Profile, unlinkInstitution } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconBuildingBank } from "@tabler/icons-react";
import { useState } from "react";
import { useSearch } from "wouter";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { ApiForm } from "../../components/api-form.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { Section } from "../../components/section.js";

/** Institutions whose sign-in leads to one's account; nothing where the dashboard knows none. */
export function InstitutionsSection({ profile }: { readonly profile: Profile }) {
  const session = useApiQuery(getSession, {});
  const problem = new URLSearchParams(useSearch()).get("problem");
  const providers = session.data?.providers ?? [];
  if (providers.length === 0) return null;
  return (
    <Section title="Sign-in at your institution" about="Link it, and it leads to this account.">
      <Stack gap="md">
        {problem !== null && (
          <Alert color="red" variant="light" title="Your institution could not be linked" role="alert">
            <Text size="sm">
              {problem === "dashboard/conflict" ? "This sign-in leads to another account already." : "Try it again from here."}
            </Text>
            <Text size="xs" className="mono">
              {problem}
            </Text>
          </Alert>
        )}
        {providers.map(({ id, title }) => (
          <Institution key={id} id={id} title={title} profile={profile} />
        ))}
      </Stack>
    </Section>
  );
}

function Institution({ id, title, profile }: { readonly id: string; readonly title: string; readonly profile: Profile }) {
  const [isAsking, setAsking] = useState(false);
  const unlink = useApiMutation(unlinkInstitution, { changes: [getMe], done: `${title} leads here no more` });
  const begin = useApiMutation(linkInstitution, { onDone: goTo });
  const form = useForm({ initialValues: { password: "" } });
  const close = (): void => setAsking(false);
  return (
    <Group justify="space-between">
      <Text size="sm">{title}</Text>
      {profile.providers.includes(id) ? (
        <ConfirmButton
          loading={unlink.isPending}
          question={`Unlink ${title}?`}
          consequence="You will not be able to sign in there any more."
          verb="Unlink"
          onConfirm={() => unlink.mutate({ params: { provider: id } })}
        >
          Unlink
        </ConfirmButton>
      ) : (
        <Button
          variant="default"
          leftSection={<IconBuildingBank size={16} />}
          loading={begin.isPending}
          onClick={() => (profile.hasPassword ? setAsking(true) : begin.mutate({ body: { provider: id } }))}
        >
          Link
        </Button>
      )}
      <Modal opened={isAsking} onClose={close} title={`Link ${title}`} closeButtonProps={{ "aria-label": "Close" }}>
        <ApiForm
          form={form}
          route={linkInstitution}
          toInput={({ password }) => ({ body: { provider: id, password } })}
          submit="Go to the sign-in"
          onDone={goTo}
        >
          <PasswordInput
            label="Your password"
            autoComplete="current-password"
            visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
            data-autofocus
            {...form.getInputProps("password")}
          />
        </ApiForm>
      </Modal>
    </Group>
  );
}

function goTo({ url }: { readonly url: string }): void {
  location.assign(url);
}
