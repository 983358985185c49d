import { getSession, giveSecondFactor, signOut } from "@flare-ts/dashboard-api/contract";
import { Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useAdoptSession } from "../../api/use-session.js";
import { validateBy } from "../../api/validate-by.js";
import { ApiForm } from "../../components/api-form.js";
import { OpenFrame } from "../../components/open-frame.js";

/** Asks for the code of the second factor. */
export function SecondFactorPage() {
  const adopt = useAdoptSession();
  const leave = useApiMutation(signOut, { changes: [getSession] });
  const form = useForm({ initialValues: { code: "" }, validate: validateBy(giveSecondFactor.body) });
  return (
    <OpenFrame
      title="Your code"
      about="Enter the six digits that your app shows, or one of your recovery codes."
      foot="Lost your device and your recovery codes? A project admin can turn your second factor off."
    >
      <ApiForm
        form={form}
        route={giveSecondFactor}
        toInput={(body) => ({ body })}
        submit="Continue"
        isWide
        onDone={adopt}
        beside={
          <Button variant="default" onClick={() => leave.mutate({})}>
            Cancel
          </Button>
        }
      >
        <TextInput label="Code" autoComplete="one-time-code" autoFocus className="mono" {...form.getInputProps("code")} />
      </ApiForm>
    </OpenFrame>
  );
}
