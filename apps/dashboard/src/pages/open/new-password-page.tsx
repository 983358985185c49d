import { completePasswordReset } from "@flare-ts/dashboard-api/contract";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useLocation } from "wouter";
import { validateBy } from "../../api/validate-by.js";
import { ApiForm } from "../../components/api-form.js";
import { OpenFrame } from "../../components/open-frame.js";
import { NewPasswordInput } from "./new-password-input.js";

/** Sets a new password by a link. */
export function NewPasswordPage({ token }: { readonly token: string }) {
  const [, go] = useLocation();
  const form = useForm({
    initialValues: { password: "" },
    validate: validateBy(completePasswordReset.body.pick({ password: true })),
  });
  return (
    <OpenFrame title="Set a new password" about="All sessions that are open anywhere end with it.">
      <ApiForm
        form={form}
        route={completePasswordReset}
        toInput={({ password }) => ({ body: { token, password } })}
        submit="Set password"
        isWide
        onDone={() => {
          notifications.show({ message: "Your new password is set. Sign in with it.", color: "green" });
          go("/");
        }}
      >
        <NewPasswordInput label="New password" {...form.getInputProps("password")} />
      </ApiForm>
    </OpenFrame>
  );
}
