import { type Federation, getFederation } from "@flare-ts/dashboard-api/contract";
import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../api/api-context.js";
import { keyOf } from "../api/use-api-query.js";

/** The federation as it is now; the stream of events keeps it so. */
export function useFederation(): UseQueryResult<Federation> {
  const api = useApi();
  const client = useQueryClient();
  const queryKey = keyOf(getFederation, {});
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const before = client.getQueryData<Federation>(queryKey);
      const answer = await api.call(getFederation, { signal });
      const now = client.getQueryData<Federation>(queryKey);
      // What the stream told meanwhile is newer than an answer that was on its way.
      return now === undefined || now === before ? answer : now;
    },
  });
}
