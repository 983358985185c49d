import { FlareError } from "@flare-ts/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { sql } from "kysely";
import { apiPrefix, type RouteDefinition } from "../contract/define-route.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { isSameSecret } from "../secrets/tokens.js";
import { openApiDocument } from "./open-api-document.js";

/** Paths that are not in the table of routes: they are for programs that watch, and for whoever wants to read the API. */
export const plainPaths = ["/healthz", "/metrics", `${apiPrefix}/openapi.json`] as const;

/** Registers `/healthz`, `/metrics` and the OpenAPI document. */
export function registerPlainRoutes(
  app: FastifyInstance,
  parts: Pick<DashboardParts, "db" | "metrics">,
  init: { readonly routes: readonly RouteDefinition[]; readonly metricsToken: string | undefined },
): void {
  let document: string | undefined;
  app.get("/healthz", { exposeHeadRoute: true }, async (_request, reply) => {
    reply.header("cache-control", "no-store");
    const isUp = await sql`select 1`.execute(parts.db).then(
      () => true,
      () => false,
    );
    return reply.code(isUp ? 200 : 503).send({ status: isUp ? "ok" : "database unusable" });
  });
  app.get("/metrics", { exposeHeadRoute: false }, async (request, reply) => {
    if (!mayReadMetrics(request, init.metricsToken))
      throw new FlareError("dashboard/not-allowed", "Metrics need the token that was set for them.");
    return reply
      .header("cache-control", "no-store")
      .type("text/plain; version=0.0.4; charset=utf-8")
      .send(await parts.metrics.text());
  });
  app.get(`${apiPrefix}/openapi.json`, { exposeHeadRoute: false }, (_request, reply) => {
    // Made when it is first asked for: it is a third of the work of starting.
    document ??= JSON.stringify(openApiDocument(init.routes));
    return reply.header("cache-control", "no-cache").type("application/json; charset=utf-8").send(document);
  });
}

/** By the token; without one only programs on this machine may, and not through a proxy. */
function mayReadMetrics(request: FastifyRequest, token: string | undefined): boolean {
  if (token !== undefined) return isSameSecret(request.headers.authorization ?? "", `Bearer ${token}`);
  const isForwarded = request.headers["x-forwarded-for"] !== undefined || request.headers["forwarded"] !== undefined;
  return !isForwarded && ["127.0.0.1", "::1", "::ffff:127.0.0.1"].includes(request.socket.remoteAddress ?? "");
}
