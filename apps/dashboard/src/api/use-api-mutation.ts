import type { CallInput, CallOutput, RouteDefinition } from "@flare-ts/dashboard-api/contract";
import { notifications } from "@mantine/notifications";
import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { callRoute, useApi } from "./api-context.js";
import { keyOf } from "./use-api-query.js";

export interface ApiMutationOptions<R extends RouteDefinition> {
  /** Routes whose answers are no longer true afterwards. */
  readonly changes?: readonly Pick<RouteDefinition, "id">[];
  /** What to tell once it is done. */
  readonly done?: string;
  /** Whether a failure is told in a toast also while what asked is shown; forms show it themselves. @default true */
  readonly tellsErrors?: boolean;
  /** What follows, which may be a promise; where that fails, the whole has failed. */
  readonly onDone?: (output: CallOutput<R>) => unknown;
}

/** Changes something by a route; then everything that it changes is read anew. The same change is not asked for twice at once. */
export function useApiMutation<R extends RouteDefinition>(
  route: R,
  { changes = [], done, tellsErrors = true, onDone }: ApiMutationOptions<R> = {},
): UseMutationResult<CallOutput<R>, Error, CallInput<R>> {
  const api = useApi();
  const client = useQueryClient();
  const underWay = useRef(new Set<string>());
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  const mutation = useMutation({
    mutationFn: (input: CallInput<R>) => callRoute(api, route, input),
    onSuccess: async (output) => {
      if (done !== undefined) notifications.show({ message: done, color: "green" });
      await onDone?.(output);
      await Promise.all(changes.map((changed) => client.invalidateQueries({ queryKey: keyOf(changed) })));
    },
    onError: (error) => {
      // Nobody sees it in a dialog that is closed, or on a page that was left.
      const isTold = tellsErrors || !isShown.current;
      if (isTold) notifications.show({ title: "That did not work", message: error.message, color: "red", autoClose: 10_000 });
    },
    onSettled: (_output, _error, input) => void underWay.current.delete(JSON.stringify(input)),
  });
  const mutate: typeof mutation.mutate = (...call) => {
    // The second click of a double click asks for what is being done already.
    const key = JSON.stringify(call[0]);
    if (underWay.current.has(key)) return;
    underWay.current.add(key);
    mutation.mutate(...call);
  };
  return { ...mutation, mutate };
}
