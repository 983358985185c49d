import { ApiError, type CallInput, type CallOutput, type RouteDefinition } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Group, Stack } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { fieldErrors, otherProblems } from "../api/field-errors.js";
import { useApiMutation } from "../api/use-api-mutation.js";
import { keyOf } from "../api/use-api-query.js";
import type { SharedForm } from "../api/use-shared-form.js";
import { ClashNote } from "./clash-note.js";
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
  /** What is done also where the form was closed meanwhile, as with an answer that is shown once. */
  readonly onAnswer?: (output: CallOutput<R>) => void;
  /** Where others change the same: the form's part of it, and what fields are called in what is said of them. */
  readonly shared?: SharedForm<V>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether the button is as wide as the form. @default false */
  readonly isWide?: boolean;
  /** Beside the button. */
  readonly beside?: ReactNode;
  readonly children: ReactNode;
}

/** A form that calls a route: mistakes appear at their fields, everything else above the button. */
export function ApiForm<R extends RouteDefinition, V extends Record<string, unknown>>(props: ApiFormProps<R, V>) {
  const { form, route, toInput, submit, changes, done, onDone, onAnswer, shared, labels = {}, isWide = false, beside, children } = props;
  const client = useQueryClient();
  const mutation = useApiMutation(route, {
    tellsErrors: false,
    ...(changes === undefined ? {} : { changes }),
    ...(done === undefined ? {} : { done }),
    ...(onAnswer === undefined ? {} : { onDone: onAnswer }),
  });
  const send = (values: V): void => {
    shared?.begin();
    mutation.mutate(toInput(values), {
      onSuccess: (output) => {
        shared?.end(values);
        onDone?.(output, values);
      },
      onError: (error) => {
        form.setErrors(fieldErrors(error));
        shared?.end(null);
        // Who saved first is in the answer that comes now; what it changes is merged.
        if (isChangedMeanwhile(error)) for (const changed of changes ?? []) void client.invalidateQueries({ queryKey: keyOf(changed) });
      },
    });
  };
  const isMerged = shared !== undefined && isChangedMeanwhile(mutation.error);
  return (
    <form onSubmit={form.onSubmit(send, (errors, _values, event) => focusMistake(event?.currentTarget, Object.keys(errors)))} noValidate>
      <Stack gap="md">
        {children}
        {shared !== undefined && shared.clash !== null && <ClashNote clash={shared.clash} labels={labels} onDecide={shared.decide} />}
        {isMerged && shared.clash === null && (
          <Alert color="cobalt" variant="light" role="alert" title={mutation.error?.message}>
            What they changed is in the form now, beside what you typed. Look, and save again.
          </Alert>
        )}
        {mutation.error !== null && !isMerged && (
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

function isChangedMeanwhile(error: Error | null): boolean {
  return error instanceof ApiError && error.code === "dashboard/changed-meanwhile";
}

/** The first field with a mistake: it may be out of sight, and who hears the page would not hear of it. */
function focusMistake(form: EventTarget | undefined, paths: readonly string[]): void {
  if (!(form instanceof HTMLFormElement)) return;
  for (const field of form.querySelectorAll<HTMLElement>("[data-path]")) {
    if (!paths.includes(field.dataset["path"] ?? "")) continue;
    field.focus();
    return;
  }
}
