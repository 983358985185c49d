import fastifyCookie from "@fastify/cookie";
import { FlareError } from "@flare-ts/contracts";
import type { FastifyInstance } from "fastify";
import type { RouteDefinition } from "./contract/define-route.js";
import { allRoutes } from "./contract/routes.js";
import { answerError } from "./http/error-answer.js";
import { registerPlainRoutes } from "./http/plain-routes.js";
import { addRateLimits, defaultRateLimits, type RateLimits } from "./http/rate-limits.js";
import { registerRoutes } from "./http/register-routes.js";
import { addSecurityHeaders } from "./http/security-headers.js";
import { servePage } from "./http/serve-page.js";
import type { Dashboard } from "./open-dashboard.js";

export interface DashboardPluginOptions {
  readonly dashboard: Dashboard;
  /** Folder of the built page. @default the API alone */
  readonly pageFolder?: string | undefined;
  /** Who may read `/metrics` sends it as bearer token. @default only programs on this machine may */
  readonly metricsToken?: string | undefined;
  /** Tells browsers to use TLS only from now on (HSTS). @default false */
  readonly hasStrictTransport?: boolean;
  readonly rateLimits?: Partial<RateLimits>;
}

/** A Fastify plugin that answers for a dashboard; it can be mounted in another Fastify app. */
export async function dashboardPlugin(app: FastifyInstance, options: DashboardPluginOptions): Promise<void> {
  const { parts, implementations } = options.dashboard;
  app.addHook("preClose", async () => options.dashboard.stopStreams());
  await app.register(fastifyCookie);
  await addSecurityHeaders(app, { hasStrictTransport: options.hasStrictTransport ?? false });
  await addRateLimits(app, { ...defaultRateLimits, ...options.rateLimits });
  readBodies(app);
  countAnswers(app, options.dashboard);
  app.setErrorHandler((reason, request, reply) => answerError(reason, request, reply, parts.logger));
  registerRoutes(app, { guard: parts.guard }, { implementations });
  registerPlainRoutes(app, parts, { routes: allRoutes, metricsToken: options.metricsToken });
  const answerPage = options.pageFolder === undefined ? () => false : await servePage(app, parts, { pageFolder: options.pageFolder });
  app.setNotFoundHandler((request, reply) => {
    if (answerPage(request, reply)) return;
    answerError(new FlareError("dashboard/route-unknown", "There is nothing at this address."), request, reply, parts.logger);
  });
}

/** JSON is read whole; anything else is left to routes that read a stream. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
    if (text === "") return done(null, undefined);
    try {
      done(null, JSON.parse(text as string));
    } catch {
      done(new FlareError("dashboard/invalid-request", "The body is not JSON."));
    }
  });
  app.addContentTypeParser("*", (_request, _payload, done) => done(null, undefined));
}

/** Counts and logs by the route's id: addresses hold tokens. */
function countAnswers(app: FastifyInstance, { parts }: Dashboard): void {
  app.addHook("onResponse", async (request, reply) => {
    const { route } = request.routeOptions.config as { readonly route?: RouteDefinition };
    const seconds = reply.elapsedTime / 1000;
    parts.metrics.countRequest({ route: route?.id ?? "other", status: reply.statusCode, seconds });
    parts.logger.debug({ requestId: request.id, route: route?.id ?? "other", status: reply.statusCode, seconds }, "answered");
  });
}
