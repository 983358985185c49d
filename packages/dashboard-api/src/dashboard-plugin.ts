import fastifyCookie from "@fastify/cookie";
import { FlareError } from "@flare-ts/contracts";
import type { FastifyInstance } from "fastify";
import { answerError } from "./http/error-answer.js";
import { registerRoutes } from "./http/register-routes.js";
import type { Dashboard } from "./open-dashboard.js";

/** A Fastify plugin that answers for a dashboard; it can be mounted in another Fastify app. */
export async function dashboardPlugin(app: FastifyInstance, { dashboard }: { readonly dashboard: Dashboard }): Promise<void> {
  const { parts, implementations } = dashboard;
  app.setErrorHandler((reason, request, reply) => answerError(reason, request, reply, parts.logger));
  app.setNotFoundHandler((request, reply) => {
    answerError(new FlareError("dashboard/route-unknown", "There is nothing at this address."), request, reply, parts.logger);
  });
  readBodies(app);
  await app.register(fastifyCookie);
  registerRoutes(app, { guard: parts.guard }, { implementations });
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
