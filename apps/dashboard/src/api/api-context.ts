import type { ApiClient, CallInput, CallOutput, RouteDefinition } from "@flare-ts/dashboard-api/contract";
import { createContext, useContext } from "react";

const ApiContext = createContext<ApiClient | null>(null);

/** Gives the pages below it their way to the dashboard's API. */
export const ApiProvider = ApiContext.Provider;

/** The typed client of the API. */
export function useApi(): ApiClient {
  const api = useContext(ApiContext);
  if (api === null) throw new Error("useApi outside of ApiProvider");
  return api;
}

/** Calls a route that is known by its type parameter only; whether it has input at all is then open. */
export function callRoute<R extends RouteDefinition>(
  api: ApiClient,
  route: R,
  input: CallInput<R> & { readonly signal?: AbortSignal },
): Promise<CallOutput<R>> {
  return api.call(route, ...([input] as never));
}
