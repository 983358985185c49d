import rateLimit from "@fastify/rate-limit";
import { FlareError, limits as systemLimits } from "@flare-ts/contracts";
import type { FastifyInstance } from "fastify";
import type { RouteDefinition } from "../contract/define-route.js";

/** How many requests an address may send in a minute. */
export interface RateLimits {
  /** Of any kind; a whole hospital may share an address. @default 1200 */
  readonly requestsPerMinute: number;
  /** Changes by people who are not signed in: signing in, signing up, resets. @default 60 */
  readonly openChangesPerMinute: number;
}

/** How many requests an address may send when nothing else is said. */
export const defaultRateLimits: RateLimits = {
  requestsPerMinute: systemLimits.dashboardRequests,
  openChangesPerMinute: systemLimits.dashboardOpenChanges,
};

/** Refuses requests beyond the limits before anything is read or looked up; IPv6 addresses count by their /64. */
export async function addRateLimits(app: FastifyInstance, limits: RateLimits): Promise<void> {
  await app.register(rateLimit, { global: false, cache: 20_000 });
  const minute = { timeWindow: 60_000, ipv6Subnet: 64 } as const;
  const requests = app.createRateLimit({ ...minute, max: limits.requestsPerMinute });
  const openChanges = app.createRateLimit({ ...minute, max: limits.openChangesPerMinute });
  app.addHook("onRequest", async (request) => {
    refuse(await requests(request));
    const { route } = request.routeOptions.config as { readonly route?: RouteDefinition };
    if (route !== undefined && route.access === "open" && route.method !== "GET") refuse(await openChanges(request));
  });
}

function refuse(
  outcome: { readonly isAllowed: true } | { readonly isAllowed: false; readonly isExceeded: boolean; readonly ttl: number },
): void {
  if (outcome.isAllowed || !outcome.isExceeded) return;
  throw new FlareError("dashboard/too-many-requests", "Too many requests came from this address; wait a moment.", {
    facts: { retryAfterMs: Math.max(1000, outcome.ttl) },
  });
}
