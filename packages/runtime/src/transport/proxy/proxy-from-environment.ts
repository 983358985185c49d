import { isLoopback } from "../connection-security.js";
import { type HttpProxy, readProxyUrl } from "./http-proxy.js";
import { asksForLoopback, isOnNoProxyList, type ProxiedTarget } from "./no-proxy.js";

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the proxy of a connection is looked for, the first that is set; each also in upper case, the lower case before. */
const proxyVariables = ["grpc_proxy", "https_proxy", "all_proxy"] as const;
const noProxyVariables = ["no_grpc_proxy", "no_proxy"] as const;

/**
 * The proxy through which the environment wants a target to be reached, or nothing. This machine itself is dialled directly,
 * unless the list of exceptions has the entry `<-loopback>`.
 *
 * @throws FlareError `transfer/proxy-invalid`, `transfer/proxy-not-supported`; not for a target that is dialled directly.
 */
export function proxyFromEnvironment(environment: Environment, target: ProxiedTarget): HttpProxy | undefined {
  const found = firstSet(environment, proxyVariables);
  if (found === undefined) return undefined;
  const exceptions = firstSet(environment, noProxyVariables)?.value ?? "";
  if (isOnNoProxyList(exceptions, target)) return undefined;
  if (isLoopback(target.host) && !asksForLoopback(exceptions)) return undefined;
  return readProxyUrl(found.value, found.name);
}

function firstSet(environment: Environment, names: readonly string[]): { readonly name: string; readonly value: string } | undefined {
  for (const name of names.flatMap((lower) => [lower, lower.toUpperCase()])) {
    const value = environment[name]?.trim();
    if (value !== undefined && value !== "") return { name, value };
  }
  return undefined;
}
