import type { RunningRelay, StartRelayInit } from "./relay/start-relay.js";
import type { RunningServer, StartServerInit } from "./server/start-server.js";
import type { RunningSite, StartSiteInit } from "./site/start-site.js";

// A site has no use for the server's code, which is half of the memory that both would take, and the other way round.

/**
 * Starts the server of a federation from its startup kit, goes on with the jobs that ran when it last stopped, and
 * resolves when it listens.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, `transfer/cannot-listen`,
 * `transfer/clear-refused`.
 */
export async function startServer(init: StartServerInit): Promise<RunningServer> {
  return (await import("./server/start-server.js")).startServer(init);
}

/**
 * Starts a site from its startup kit and resolves when it is attached to its server. From then on it comes back by itself
 * whenever the connection breaks.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, or why the server refuses (`auth/…`).
 */
export async function startSite(init: StartSiteInit): Promise<RunningSite> {
  return (await import("./site/start-site.js")).startSite(init);
}

/**
 * Starts a relay from its startup kit and resolves when it is attached to its server and listens for those below it.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, `transfer/cannot-listen`, `transfer/clear-refused`, or
 * why the server refuses (`auth/…`).
 */
export async function startRelay(init: StartRelayInit): Promise<RunningRelay> {
  return (await import("./relay/start-relay.js")).startRelay(init);
}
