import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { FlareError } from "@flare-ts/contracts";
import { unreachable } from "../transport/proxy/dial-route.js";
import { addressOf, type HttpProxy } from "../transport/proxy/http-proxy.js";
import type { ProxiedTarget } from "../transport/proxy/no-proxy.js";
import { openTunnel } from "../transport/proxy/open-tunnel.js";
import { proxyFromEnvironment } from "../transport/proxy/proxy-from-environment.js";
import { failed, type PreflightCheck, passed, problemOf, skipped } from "./preflight-check.js";
import type { PreflightParts } from "./preflight-parts.js";

/** The way to a server as far as it goes without TLS. */
export interface Way {
  readonly checks: readonly PreflightCheck[];
  /** Opens one more connection, through the proxy where there is one; nothing where a check failed. */
  readonly open: (() => Promise<Socket>) | undefined;
}

const stepMs = 10_000;

/** Looks at the proxy in use, at the name, and at the port: of the server, or of the proxy where there is one. */
export async function checkWay({ environment, steadyNow }: PreflightParts, server: ProxiedTarget, signal: AbortSignal): Promise<Way> {
  const checks: PreflightCheck[] = [];
  const stop = (problem: PreflightCheck, ...rest: readonly ("name" | "port")[]): Way => ({
    checks: [...checks, problem, ...rest.map((name) => skipped(name, "Not tried."))],
    open: undefined,
  });
  let proxy: HttpProxy | undefined;
  try {
    proxy = proxyFromEnvironment(environment, server);
  } catch (error) {
    return stop(problemOf("proxy", error), "name", "port");
  }
  checks.push(proxyCheck(proxy));
  const first = proxy ?? server;
  const addresses = await addressesOf(first.host);
  signal.throwIfAborted();
  if (addresses.length === 0) return stop(unknownName(first.host, proxy), "port");
  checks.push(
    passed("name", isIP(first.host) === 0 ? `${first.host} leads to ${addresses.join(", ")}.` : `${first.host} is an address.`, {
      host: first.host,
      addresses,
    }),
  );
  const open = async (): Promise<Socket> => {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(stepMs)]);
    const socket = await connectTo(first, limited);
    return proxy === undefined ? socket : await openTunnel(socket, proxy, server, { timeoutMs: stepMs });
  };
  const from = steadyNow();
  try {
    const socket = await open();
    socket.destroy();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FlareError) return stop(problemOf("port", error));
    return stop(proxy === undefined ? closedPort(server, error) : problemOf("port", unreachable(proxy, wordsOf(error))));
  }
  const tookMs = Math.round(steadyNow() - from);
  const through = proxy === undefined ? "" : ` through the proxy ${addressOf(proxy)}`;
  checks.push(
    passed("port", `${addressOf(server)} takes connections${through}, within ${tookMs} ms.`, {
      address: addressOf(server),
      took_ms: tookMs,
    }),
  );
  return { checks, open };
}

function proxyCheck(proxy: HttpProxy | undefined): PreflightCheck {
  if (proxy === undefined) return passed("proxy", "No proxy: the server is dialled directly.", { proxy: null });
  const how = proxy.credentials === undefined ? "without a password" : "with user and password";
  return passed("proxy", `The way leads through the proxy ${addressOf(proxy)} of ${proxy.variable}, ${how}.`, {
    proxy: addressOf(proxy),
    variable: proxy.variable,
  });
}

async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  return (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address);
}

function unknownName(host: string, proxy: HttpProxy | undefined): PreflightCheck {
  const where = proxy === undefined ? "the kit" : proxy.variable;
  return {
    ...failed(
      "name",
      `The name ${host} of ${where} leads to no address.`,
      proxy === undefined
        ? "Ask for the name to be entered in the DNS of this network. Where names outside are resolved by a proxy only, set HTTPS_PROXY."
        : `Correct ${proxy.variable}, or ask for the name to be entered in the DNS of this network.`,
      { host },
    ),
    code: proxy === undefined ? "transfer/unreachable" : "transfer/proxy-unreachable",
  };
}

function closedPort(server: ProxiedTarget, error: unknown): PreflightCheck {
  const code = codeOf(error);
  const todo =
    code === "ECONNREFUSED"
      ? "Somebody answered that nothing listens there: check that the server, or the proxy in front of it, runs, and the port in the kit."
      : `Nobody answers: have the firewall let this machine out to ${addressOf(server)} by TCP, or set HTTPS_PROXY where the way out is a proxy.`;
  return {
    ...failed("port", `${addressOf(server)} takes no connection: ${wordsOf(error)}`, todo, { address: addressOf(server) }),
    code: "transfer/unreachable",
  };
}

async function connectTo({ host, port }: ProxiedTarget, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function wordsOf(error: unknown): string {
  const code = codeOf(error);
  if (code === "ABORT_ERR") return `no answer within ${stepMs / 1000} s.`;
  const { message } = error instanceof AggregateError ? ((error.errors as readonly Error[])[0] ?? error) : (error as Error);
  return `${message}.`;
}
