import type { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Checked, RawContent, RouteDefinition } from "../contract/define-route.js";
import type { Actor } from "./actor.js";

/** An answer that is not JSON by a schema. */
export interface RawAnswer {
  /** @default the route's status */
  readonly status?: number;
  /** @default `content-type` is the route's media type */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readable | Uint8Array | string;
}

/** What a handler is given; everything is checked. */
export interface HandlerInput<R extends RouteDefinition> {
  readonly actor: R["access"] extends "open" ? Actor | undefined : Actor;
  readonly params: Checked<R["params"]>;
  readonly query: Checked<R["query"]>;
  /** A stream where the route's body is raw; it ends with `dashboard/too-large` beyond the route's limit. */
  readonly body: R["body"] extends RawContent ? Readable : Checked<R["body"]>;
  /** The network address that the request came from. */
  readonly address: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What a handler gives; what a response schema does not name is left out of the answer. */
export type HandlerOutput<R extends RouteDefinition> = R["response"] extends z.ZodType
  ? z.input<R["response"]>
  : R["response"] extends RawContent
    ? RawAnswer
    : undefined | void;

/** A route with what answers it. */
export interface Implementation {
  readonly route: RouteDefinition;
  readonly handler: (input: HandlerInput<RouteDefinition>) => Promise<unknown>;
}

/** Binds a handler to a route; types of input and output come from the route. */
export function implement<R extends RouteDefinition>(
  route: R,
  handler: (input: HandlerInput<R>) => Promise<HandlerOutput<R>>,
): Implementation {
  return { route, handler };
}
