import { setUp } from "@flare-ts/dashboard-api/contract";
import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useLocation } from "wouter";
import { useAdoptSession } from "../../api/use-session.js";
import { validateBy } from "../../api/validate-by.js";
import { ApiForm } from "../../components/api-form.js";
import { OpenFrame } from "../../components/open-frame.js";
import { NewPasswordInput } from "./new-password-input.js";

/** Makes whoever opened the set-up link the first project admin. */
export function SetUpPage({ token }: { readonly token: string }) {
  const [, go] = useLocation();
  const adopt = useAdoptSession();
  const form = useForm({
    initialValues: { name: "", email: "", organization: "", password: "" },
    validate: validateBy(setUp.body.omit({ token: true })),
  });
  return (
    <OpenFrame
      title="Set up this dashboard"
      about="You become its project admin: you describe the project, invite people, and approve sites. The link works once."
    >
      <ApiForm
        form={form}
        route={setUp}
        toInput={(values) => ({ body: { token, ...values } })}
        submit="Create my account"
        isWide
        onDone={(session) => {
          adopt(session);
          go("/");
        }}
      >
        <TextInput label="Your name" autoComplete="name" autoFocus {...form.getInputProps("name")} />
        <TextInput label="E-mail address" type="email" autoComplete="username" {...form.getInputProps("email")} />
        <TextInput
          label="Organisation"
          description="A short name of letters, digits and _, as it will stand in certificates."
          autoComplete="organization"
          {...form.getInputProps("organization")}
        />
        <NewPasswordInput label="Password" {...form.getInputProps("password")} />
      </ApiForm>
    </OpenFrame>
  );
}
