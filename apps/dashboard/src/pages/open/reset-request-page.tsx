import { requestPasswordReset } from "@flare-ts/dashboard-api/contract";
import { Alert, Anchor, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { Link } from "wouter";
import { validateBy } from "../../api/validate-by.js";
import { ApiForm } from "../../components/api-form.js";
import { OpenFrame } from "../../components/open-frame.js";

/** Asks for a link to set a new password. */
export function ResetRequestPage({ hasMail }: { readonly hasMail: boolean }) {
  const [answer, setAnswer] = useState<string | null>(null);
  const form = useForm({ initialValues: { email: "" }, validate: validateBy(requestPasswordReset.body) });
  return (
    <OpenFrame
      title="Forgot your password?"
      about={
        hasMail
          ? "Enter your address, and we send you a link to set a new one."
          : "This dashboard sends no mail: the admin of your project gets the link and passes it on to you."
      }
      foot={
        <Anchor component={Link} href="/">
          Back to sign-in
        </Anchor>
      }
    >
      {answer === null ? (
        <ApiForm
          form={form}
          route={requestPasswordReset}
          toInput={(body) => ({ body })}
          submit="Ask for a link"
          isWide
          onDone={({ message }) => setAnswer(message)}
        >
          <TextInput label="E-mail address" type="email" autoComplete="username" autoFocus {...form.getInputProps("email")} />
        </ApiForm>
      ) : (
        <Alert color="cobalt" variant="light" role="status">
          {answer}
        </Alert>
      )}
    </OpenFrame>
  );
}
