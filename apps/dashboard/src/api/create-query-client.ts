import { ApiError, getSession } from "@flare-ts/dashboard-api/contract";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { keyOf } from "./use-api-query.js";

/** Answers that no page needs any more are dropped after this time. */
const forgottenAfterMs = 300_000;

/**
 * Whatever the browser thinks of its network: it may be wrong, as for a dashboard on the same machine, and what is held back until it
 * thinks better would be done long after somebody asked for it.
 */
const asked = { networkMode: "always" } as const;

/**
 * The cache of answers. What the dashboard refuses is not asked again; a dashboard that is away is, three times. Where it no
 * longer knows the session, the session is asked anew, and with it the page to sign in appears.
 */
export function createQueryClient(): QueryClient {
  const onError = (error: Error): void => {
    if (error instanceof ApiError && error.status === 401) void client.invalidateQueries({ queryKey: keyOf(getSession) });
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        ...asked,
        staleTime: 15_000,
        refetchOnReconnect: true,
        gcTime: forgottenAfterMs,
        retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 3,
      },
      mutations: { ...asked, retry: false },
    },
  });
  return client;
}
