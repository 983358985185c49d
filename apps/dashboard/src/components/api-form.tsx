import type { CallInput, CallOutput, RouteDefinition } from "@flare-ts/dashboard-api/contract";
import { Button, Group, Stack } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { ReactNode } from "react";
import { fieldErrors, otherProblems } from "../api/field-errors.js";
import { useApiMutation } from "../api/use-api-mutation.js";
import { ErrorPanel } from "./error-panel.js";

export interface ApiFormProps<R extends RouteDefinition, V extends Record<string, unknown>> {
  readonly form: UseFormReturnType<V>;
  readonly route: R;
  /** What the route is called with for the values of the form. */
  readonly toInput: (values: V) => CallInput<R>;
  /** What the button says. */
  readonly submit: string;
  readonly changes?: readonly Pick<RouteDefinition, "id">[];
  /** What to tell once it is done. */
  readonly done?: string;
  readonly onDone?: (output: CallOutput<R>, values: V) => void;
  /** Whether the button is as wide as the form. @default false */
  readonly isWide?: boolean;
  /** Beside the button. */
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}

/** A form that calls a route: mistakes appear at their fields, everything else above the button. */
export function ApiForm<R extends RouteDefinition, V extends Record<string, unknown>>(props: ApiFormProps<R, V>) {
  const { form, route, toInput, submit, changes, done, onDone, isWide = false, beside, children } = props;
  const mutation = useApiMutation(route, {
    tellsErrors: false,
    ...(changes === undefined ? {} : { changes }),
    ...(done === undefined ? {} : { done }),
  });
  const send = (values: V): void => {
    mutation.mutate(toInput(values), {
      onSuccess: (output) => onDone?.(output, values),
      onError: (error) => form.setErrors(fieldErrors(error)),
    });
  };
  return (
    <form onSubmit={form.onSubmit(send)} noValidate>
      <Stack gap="md">
        {children}
        {mutation.error !== null && (
          <ErrorPanel error={mutation.error} problems={otherProblems(mutation.error, Object.keys(form.getValues()))} />
        )}
        <Group justify={isWide ? "stretch" : "flex-end"} gap="xs" grow={isWide}>
          {beside}
          <Button type="submit" loading={mutation.isPending}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
