import type { CallInput, CallOutput, RouteDefinition } from "@flare-ts/dashboard-api/contract";
import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { callRoute, useApi } from "./api-context.js";

export interface ApiQueryOptions {
  /** Whether it is asked at all. @default true */
  readonly isEnabled?: boolean;
  /** Whether the answer before stays while another is fetched, as with filters. @default false */
  readonly keepsPrevious?: boolean;
  /** How often it is asked anew, in milliseconds, for what no event tells of. @default only when it may have changed */
  readonly everyMs?: number | undefined;
}

/** The key under which an answer is kept; without input it stands for all answers of the route. */
export function keyOf(
  route: Pick<RouteDefinition, "id">,
  input?: { readonly params?: unknown; readonly query?: unknown; readonly body?: unknown },
): readonly unknown[] {
  return input === undefined ? [route.id] : [route.id, input.params ?? {}, input.query ?? {}, input.body ?? {}];
}

/** Reads a route; the answer is kept and shared by all who ask for the same. */
export function useApiQuery<R extends RouteDefinition>(
  route: R,
  input: CallInput<R>,
  { isEnabled = true, keepsPrevious = false, everyMs }: ApiQueryOptions = {},
): UseQueryResult<CallOutput<R>> {
  const api = useApi();
  return useQuery({
    queryKey: keyOf(route, input as { readonly params?: unknown; readonly query?: unknown }),
    queryFn: ({ signal }) => callRoute(api, route, { ...input, signal }),
    enabled: isEnabled,
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
    ...(keepsPrevious ? { placeholderData: keepPreviousData } : {}),
  });
}
