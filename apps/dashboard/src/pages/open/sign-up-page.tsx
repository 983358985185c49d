import { readInvitation, type Session, signUp } from "@flare-ts/dashboard-api/contract";
import { Divider, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useLocation } from "wouter";
import { useApiQuery } from "../../api/use-api-query.js";
import { useAdoptSession } from "../../api/use-session.js";
import { validateBy } from "../../api/validate-by.js";
import { ApiForm } from "../../components/api-form.js";
import { Fact, Facts } from "../../components/facts.js";
import { formatMoment } from "../../components/format.js";
import { Loaded } from "../../components/loaded.js";
import { OpenFrame } from "../../components/open-frame.js";
import { roleTitle } from "../people/role-titles.js";
import { InstitutionButton } from "./institution-button.js";
import { NewPasswordInput } from "./new-password-input.js";

export interface SignUpPageProps {
  readonly token: string;
  readonly providers: Session["providers"];
}

/** Makes an account by an invitation. */
export function SignUpPage({ token, providers }: SignUpPageProps) {
  const invitation = useApiQuery(readInvitation, { body: { token } });
  return (
    <OpenFrame title="You are invited" about="Create your account. You are let in as soon as the project admin has approved it.">
      <Loaded query={invitation}>
        {({ email, role, organization, invitedBy, expiresAtMs }) => (
          <Stack gap="lg">
            <Facts>
              <Fact name="Invited by">{invitedBy}</Fact>
              <Fact name="Role">{roleTitle(role)}</Fact>
              <Fact name="Organisation">{organization}</Fact>
              <Fact name="Good until">{formatMoment(expiresAtMs)}</Fact>
            </Facts>
            <Divider />
            <SignUpForm token={token} email={email} />
            {providers.map(({ id, title }) => (
              <InstitutionButton key={id} provider={id} invitation={token}>
                Use my account at {title}
              </InstitutionButton>
            ))}
          </Stack>
        )}
      </Loaded>
    </OpenFrame>
  );
}

function SignUpForm({ token, email }: { readonly token: string; readonly email: string | null }) {
  const [, go] = useLocation();
  const adopt = useAdoptSession();
  const form = useForm({
    initialValues: { name: "", email: email ?? "", password: "" },
    validate: validateBy(signUp.body.omit({ token: true }).required()),
  });
  return (
    <ApiForm
      form={form}
      route={signUp}
      toInput={(values) => ({ body: { token, ...values } })}
      submit="Create my account"
      isWide
      onDone={(session) => {
        adopt(session);
        go("/");
      }}
    >
      <TextInput label="Your name" autoComplete="name" autoFocus {...form.getInputProps("name")} />
      <TextInput
        label="E-mail address"
        type="email"
        autoComplete="username"
        readOnly={email !== null}
        {...(email === null ? {} : { description: "The invitation is for this address." })}
        {...form.getInputProps("email")}
      />
      <NewPasswordInput label="Password" {...form.getInputProps("password")} />
    </ApiForm>
  );
}
