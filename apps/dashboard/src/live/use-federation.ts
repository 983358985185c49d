import { type Federation, getFederation } from "@flare-ts/dashboard-api/contract";
import type { UseQueryResult } from "@tanstack/react-query";
import { useApiQuery } from "../api/use-api-query.js";

/** The federation as it is now; the stream of events keeps it so. */
export function useFederation(): UseQueryResult<Federation> {
  return useApiQuery(getFederation, {});
}
