import { changePassword, getMe, getSession, listMySessions, type Profile, updateMe } from "@flare-ts/dashboard-api/contract";
import { PasswordInput, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useApiQuery } from "../../api/use-api-query.js";
import { ApiForm } from "../../components/api-form.js";
import { Fact, Facts } from "../../components/facts.js";
import { Loaded } from "../../components/loaded.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { NewPasswordInput } from "../open/new-password-input.js";
import { roleTitle } from "../people/role-titles.js";
import { InstitutionsSection } from "./institutions-section.js";
import { SecondFactorSection } from "./second-factor-section.js";
import { SessionsSection } from "./sessions-section.js";

/** One's own account: name, password, second factor, sessions. */
export function ProfilePage() {
  const me = useApiQuery(getMe, {});
  return (
    <>
      <PageHeader title="Profile" about="Your account and how it is protected." />
      <Loaded query={me} lines={8}>
        {(profile) => (
          <Stack gap="lg">
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
              <Section title="You">
                <Stack gap="lg">
                  <Facts>
                    <Fact name="E-mail address">{profile.email}</Fact>
                    <Fact name="Role">{roleTitle(profile.role)}</Fact>
                    <Fact name="Organisation">{profile.organization}</Fact>
                    <Fact name="Signs in with">{profile.providers.join(", ")}</Fact>
                  </Facts>
                  <NameForm profile={profile} />
                </Stack>
              </Section>
              <Section title="Password" about="A new one ends all your other sessions.">
                <PasswordForm hasPassword={profile.hasPassword} />
              </Section>
            </SimpleGrid>
            <SecondFactorSection profile={profile} />
            <InstitutionsSection profile={profile} />
            <SessionsSection />
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function NameForm({ profile }: { readonly profile: Profile }) {
  const form = useForm({ initialValues: { name: profile.name } });
  return (
    <ApiForm form={form} route={updateMe} toInput={(body) => ({ body })} submit="Save" changes={[getMe, getSession]} done="Saved">
      <TextInput label="Name" autoComplete="name" {...form.getInputProps("name")} />
    </ApiForm>
  );
}

function PasswordForm({ hasPassword }: { readonly hasPassword: boolean }) {
  const form = useForm({ initialValues: { currentPassword: "", newPassword: "" } });
  return (
    <ApiForm
      form={form}
      route={changePassword}
      toInput={({ currentPassword, newPassword }) => ({ body: { ...(hasPassword ? { currentPassword } : {}), newPassword } })}
      submit={hasPassword ? "Change password" : "Set password"}
      changes={[getMe, listMySessions]}
      done="Your new password is set"
      onDone={() => form.reset()}
    >
      {hasPassword && (
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          visibilityToggleButtonProps={{ "aria-label": "Show the current password" }}
          {...form.getInputProps("currentPassword")}
        />
      )}
      <NewPasswordInput
        label="New password"
        visibilityToggleButtonProps={{ "aria-label": "Show the new password" }}
        {...form.getInputProps("newPassword")}
      />
    </ApiForm>
  );
}
