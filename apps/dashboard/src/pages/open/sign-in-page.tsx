import { type Session, signIn } from "@flare-ts/dashboard-api/contract";
import { Alert, Anchor, Divider, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { Link, useSearch } from "wouter";
import { useAdoptSession } from "../../api/use-session.js";
import { validateBy } from "../../api/validate-by.js";
import { ApiForm } from "../../components/api-form.js";
import { OpenFrame } from "../../components/open-frame.js";
import { InstitutionButton } from "./institution-button.js";
import { SetUpHint } from "./set-up-hint.js";

export interface SignInPageProps {
  readonly session: Session;
  /** Whether somebody was signed in here until the session ended, and what they typed waits for them. */
  readonly isBack: boolean;
}

/** The page to sign in on, by password or by an institution. */
export function SignInPage({ session, isBack }: SignInPageProps) {
  const adopt = useAdoptSession();
  const problem = new URLSearchParams(useSearch()).get("problem");
  const form = useForm({ initialValues: { email: "", password: "" }, validate: validateBy(signIn.body) });
  return (
    <OpenFrame
      title="Sign in"
      foot="No account? You need an invitation: ask the admin of your project for one."
      about={session.needsSetUp ? <SetUpHint /> : isBack ? "Your session has ended. What you typed is kept for you." : undefined}
    >
      {problem !== null && (
        <Alert color="red" variant="light" mb="md" title="The sign-in at your institution did not work" role="alert">
          <Text size="sm">
            If you have an account, sign in as before and link your institution on your profile; else ask the admin of your project for an
            invitation.
          </Text>
          <Text size="xs" className="mono">
            {problem}
          </Text>
        </Alert>
      )}
      <ApiForm
        form={form}
        route={signIn}
        toInput={(body) => ({ body })}
        submit="Sign in"
        isWide
        onDone={(next) => {
          if (next.state === "second-factor") form.reset();
          adopt(next);
        }}
      >
        <TextInput label="E-mail address" type="email" autoComplete="username" autoFocus {...form.getInputProps("email")} />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
          {...form.getInputProps("password")}
        />
        <Anchor component={Link} href="/reset" size="sm">
          Forgot your password?
        </Anchor>
      </ApiForm>
      {session.providers.length > 0 && (
        <Stack gap="xs" mt="md">
          <Divider label="or" />
          {session.providers.map(({ id, title }) => (
            <InstitutionButton key={id} provider={id} isBeside={isBack}>
              Sign in with {title}
            </InstitutionButton>
          ))}
        </Stack>
      )}
    </OpenFrame>
  );
}
