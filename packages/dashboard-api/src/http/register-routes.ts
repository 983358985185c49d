import { Transform } from "node:stream";
import { FlareError, limits } from "@flare-ts/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { apiPrefix, isRaw, type RouteDefinition } from "../contract/define-route.js";
import type { Actor } from "./actor.js";
import { checkInput, withoutUnknownKeys } from "./check-input.js";
import type { HandlerInput, Implementation, RawAnswer } from "./implement.js";
import type { RequestGuard } from "./request-guard.js";

/** An unhandled route, a handler without a place in the table, or two of one name: the dashboard does not start. */
export function checkCoverage(routes: readonly RouteDefinition[], implementations: readonly Implementation[]): void {
  const problems = [
    ...routes.filter((route) => !implementations.some((one) => one.route === route)).map(({ id }) => `${id} has no handler`),
    ...implementations.filter(({ route }) => !routes.includes(route)).map(({ route }) => `${route.id} is not in the table`),
    ...routes.filter((route, i) => routes.findIndex(({ id }) => id === route.id) !== i).map(({ id }) => `${id} is there twice`),
    ...implementations
      .filter(({ route }, i) => implementations.findIndex((one) => one.route === route) !== i)
      .map(({ route }) => `${route.id} has two handlers`),
  ];
  if (problems.length > 0) throw new Error(`The table of routes and the handlers do not fit: ${problems.join(", ")}.`);
}

/** Registers all routes of the table under `/api/v1`. */
export function registerRoutes(
  app: FastifyInstance,
  components: { readonly guard: RequestGuard },
  init: { readonly implementations: readonly Implementation[] },
): void {
  app.decorateRequest("actor", undefined);
  for (const implementation of init.implementations) registerRoute(app, components.guard, implementation);
}

interface GuardedRequest extends FastifyRequest {
  actor: Actor | undefined;
}

function registerRoute(app: FastifyInstance, guard: RequestGuard, { route, handler }: Implementation): void {
  const check = inputCheck(route);
  app.route({
    method: route.method,
    url: `${apiPrefix}${route.path}`,
    bodyLimit: (isRaw(route.body) ? route.body.maxBytes : undefined) ?? limits.dashboardBodyBytes,
    exposeHeadRoute: false,
    config: { route },
    // Before the body is read: a stranger must not make the dashboard read one.
    onRequest: async (request, reply) => {
      reply.header("cache-control", "no-store");
      (request as GuardedRequest).actor = await guard.check(route, request, reply);
    },
    handler: async (request, reply) => {
      const { actor } = request as GuardedRequest;
      const input = { actor, ...check(request), address: request.ip, request, reply } as HandlerInput<RouteDefinition>;
      try {
        return answer(route, await handler(input), reply);
      } catch (reason) {
        // Browsers read an answer once they have sent everything: what is still to come of a body is read, and forgotten.
        if (isRaw(route.body)) request.raw.unpipe().resume();
        throw reason;
      }
    },
  });
}

function inputCheck(route: RouteDefinition): (request: FastifyRequest) => { params: unknown; query: unknown; body: unknown } {
  const strict = (schema: z.ZodType | undefined): z.ZodType | undefined => (schema === undefined ? undefined : withoutUnknownKeys(schema));
  const [params, query, body] = [strict(route.params), strict(route.query), isRaw(route.body) ? undefined : strict(route.body)];
  const { maxBytes = limits.dashboardBodyBytes } = isRaw(route.body) ? route.body : {};
  return (request) => ({
    params: params === undefined ? undefined : checkInput("params", params, request.params),
    query: query === undefined ? undefined : checkInput("query", query, request.query),
    body: isRaw(route.body)
      ? capped(request, route.body.mediaType, maxBytes)
      : body === undefined
        ? undefined
        : checkInput("body", body, jsonOf(request)),
  });
}

function jsonOf(request: FastifyRequest): unknown {
  const type = mediaTypeOf(request);
  if (type !== undefined && type !== "application/json")
    throw new FlareError("dashboard/media-type", "The body has to be application/json.");
  return request.body;
}

function mediaTypeOf(request: FastifyRequest): string | undefined {
  return request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
}

/** The stream of a raw body, which fails beyond its limit. */
function capped(request: FastifyRequest, mediaType: string, maxBytes: number): Transform {
  if (mediaTypeOf(request) !== mediaType) throw new FlareError("dashboard/media-type", `The body has to be ${mediaType}.`);
  let bytes = 0;
  const tooLarge = (): FlareError =>
    new FlareError("dashboard/too-large", `The body has more than ${maxBytes} bytes.`, { facts: { maxBytes } });
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const cap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(tooLarge());
      else done(null, chunk);
    },
  });
  const cutOff = (): FlareError => new FlareError("internal/aborted", "The request ended before its body did.");
  // Whoever reads by then hears of it; while a handler does something else first, or reads no more, nobody does.
  cap.on("error", () => undefined);
  request.raw.on("error", (reason) => cap.destroy(reason));
  request.raw.on("aborted", () => cap.destroy(cutOff()));
  // The connection may have ended while it was looked up who calls: no event comes any more.
  if (request.raw.destroyed) cap.destroy(cutOff());
  return request.raw.pipe(cap);
}

function answer(route: RouteDefinition, output: unknown, reply: FastifyReply): FastifyReply {
  if (route.response === "nothing") return reply.code(route.status ?? 204).send();
  if (isRaw(route.response)) {
    const { status, headers = {}, body } = output as RawAnswer;
    return reply
      .code(status ?? route.status ?? 200)
      .type(route.response.mediaType)
      .headers(headers)
      .send(body);
  }
  // The schema is also a filter: what it does not name, such as a hash that a row carries, cannot slip out.
  const content = route.response.parse(output);
  return reply
    .code(route.status ?? 200)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(content));
}
