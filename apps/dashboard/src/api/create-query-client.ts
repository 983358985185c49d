import { ApiError, getSession } from "@flare-ts/dashboard-api/contract";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { keyOf } from "./use-api-query.js";

/** Answers that no page needs any more are dropped after this time. */
const forgottenAfterMs = 300_000;

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
        staleTime: 15_000,
        gcTime: forgottenAfterMs,
        retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 3,
      },
      mutations: { retry: false },
    },
  });
  return client;
}
