import type { Server } from "node:https";
import { hostname } from "node:os";
import { FlareError } from "@flare-ts/contracts";
import fastify, { type FastifyInstance, LogController } from "fastify";
import { type DashboardPluginOptions, dashboardPlugin } from "./dashboard-plugin.js";
import { type Dashboard, type DashboardComponents, type OpenDashboardInit, openDashboard } from "./open-dashboard.js";
import { loadTlsCertificate } from "./serving/load-tls-certificate.js";
import { checkServing, isSecure, type ServingSecurity } from "./serving/serving-security.js";
import { fingerprintOf, type TlsCertificate } from "./serving/tls-certificate.js";

export interface StartDashboardInit
  extends Omit<OpenDashboardInit, "isSecure">,
    Pick<DashboardPluginOptions, "pageFolder" | "metricsToken" | "rateLimits"> {
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** 0 takes a free one. @default 8443 */
  readonly port?: number;
  /** How the way to browsers is secured. @default TLS with the dashboard's own certificate */
  readonly security?: ServingSecurity;
}

/** A dashboard that listens. */
export interface RunningDashboard {
  /** Where people reach it. */
  readonly url: string;
  /** Where it listens; the same as `url` unless a public address was set. */
  readonly listensAt: string;
  /** SHA-256 of the certificate that it began with; `undefined` without TLS of its own. */
  readonly fingerprint: string | undefined;
  /** The one-time link by which the first project admin comes in; `undefined` once there is one. */
  readonly setUpLink: string | undefined;
  /** What answers. */
  readonly dashboard: Dashboard;
  /** Answers what was asked, then lets go of everything. */
  stop(): Promise<void>;
}

/** A renewed certificate is taken up within so long. */
const certificateCheckMs = 3_600_000;

/** Answers that are under way have so long when the dashboard stops. */
const closeWithinMs = 5000;

/**
 * Starts a dashboard that listens.
 *
 * @throws FlareError `dashboard/invalid-settings`, `dashboard/database-unusable`, `dashboard/cannot-listen`, `store/unusable`
 */
export async function startDashboard(init: StartDashboardInit, components: DashboardComponents = {}): Promise<RunningDashboard> {
  const { host = "127.0.0.1", port = 8443, security = { kind: "own" }, publicUrl } = init;
  checkServing(security, { host, publicUrl });
  const dashboard = await openDashboard({ ...init, isSecure: isSecure(security) }, components);
  const closers: (() => unknown)[] = [() => dashboard.close()];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    const load = certificateLoader(security, dashboard, { host, publicUrl });
    const tls = await load?.();
    const app = createApp(security, dashboard, tls);
    closers.push(() => closeWithin(app, closeWithinMs));
    if (load !== undefined) closers.push(keepCertificateFresh(app, load, dashboard));
    const { pageFolder, metricsToken, rateLimits = {} } = init;
    const hasStrictTransport = security.kind === "given" || security.kind === "proxy";
    await app.register(dashboardPlugin, { dashboard, pageFolder, metricsToken, rateLimits, hasStrictTransport });
    const listensAt = await listen(app, { host, port });
    dashboard.reachedAt(reachableAddress(listensAt, host));
    return {
      url: dashboard.parts.publicUrl(),
      listensAt,
      fingerprint: tls === undefined ? undefined : fingerprintOf(tls),
      setUpLink: await dashboard.setUpLink(),
      dashboard,
      stop,
    };
  } catch (reason) {
    await stop();
    throw reason;
  }
}

async function listen(app: FastifyInstance, { host, port }: { readonly host: string; readonly port: number }): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    const { code, syscall, message } = cause as NodeJS.ErrnoException;
    if (code === undefined || !["listen", "bind", "getaddrinfo"].includes(syscall ?? "")) throw cause;
    throw new FlareError("dashboard/cannot-listen", `Port ${port} of ${host} cannot be opened: ${message}`, {
      facts: { host, port, code },
      cause,
    });
  }
}

/** Addresses that stand for all of a machine; nobody else can reach it by them. */
const anyAddress = ["0.0.0.0", "::"];

function reachableAddress(listensAt: string, host: string): string {
  if (!anyAddress.includes(host)) return listensAt;
  const { protocol, port } = new URL(listensAt);
  return `${protocol}//${hostname()}:${port}`;
}

function createApp(security: ServingSecurity, { parts }: Dashboard, tls: TlsCertificate | undefined): FastifyInstance {
  return fastify({
    loggerInstance: parts.logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: "idle",
    // Long enough for a large upload over a thin line; headers have a minute, as Node has it.
    requestTimeout: 3_600_000,
    ...(security.kind === "proxy" ? { trustProxy: [...security.trustedProxies] } : {}),
    ...(tls === undefined ? {} : { https: { ...tls, minVersion: "TLSv1.2" } }),
  });
}

function certificateLoader(
  security: ServingSecurity,
  { parts }: Dashboard,
  { host, publicUrl }: { readonly host: string; readonly publicUrl: string | undefined },
): (() => Promise<TlsCertificate>) | undefined {
  if (security.kind === "proxy" || security.kind === "clear") return undefined;
  const hosts = new Set(["localhost", "127.0.0.1", "::1", hostname(), ...(anyAddress.includes(host) ? [] : [host])]);
  if (publicUrl !== undefined) hosts.add(new URL(publicUrl).hostname.replaceAll(/[[\]]/g, ""));
  return () => loadTlsCertificate(security, { dataFolder: parts.dataFolder, hosts: [...hosts], now: parts.now });
}

/** Lets answers end that are under way, for a while. */
async function closeWithin(app: FastifyInstance, ms: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), ms);
  await app.close();
  clearTimeout(timer);
}

/** Takes a renewed certificate up without a restart; returns what ends it. */
function keepCertificateFresh(app: FastifyInstance, load: () => Promise<TlsCertificate>, { parts }: Dashboard): () => void {
  const check = async (): Promise<void> => {
    try {
      (app.server as unknown as Server).setSecureContext({ ...(await load()), minVersion: "TLSv1.2" });
    } catch (err) {
      parts.logger.error({ err }, "the certificate could not be read again; the earlier one stays");
    }
  };
  const timer = setInterval(() => void check(), certificateCheckMs);
  timer.unref();
  return () => clearInterval(timer);
}
