import type { z } from "zod";
import type { Access } from "./roles.js";

/** Content that is not JSON: an archive, a stream of events, a page. */
export interface RawContent {
  /** Such as `application/zip`. */
  readonly mediaType: string;
  /** Most bytes that are read of a request's body. @default 1 MiB */
  readonly maxBytes?: number;
}

/** One route: what it is called, who may call it, what goes in and what comes out. */
export interface RouteDefinition {
  /** Unique and stable, `area.what`, such as `sites.decide`; the operation's name in the OpenAPI document. */
  readonly id: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Under `/api/v1`, with `:name` for each parameter. */
  readonly path: `/${string}`;
  /** What it does, in one sentence. */
  readonly summary: string;
  readonly access: Access;
  /** Org admins reach what belongs to their own organisation only; the handler asks `actor.reach`. */
  readonly scope?: "own-org";
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** JSON by a schema, or raw content, which the handler reads as a stream. */
  readonly body?: z.ZodType | RawContent;
  /** JSON by a schema, raw content, or nothing. */
  readonly response: z.ZodType | RawContent | "nothing";
  /** @default 200, or 204 where nothing is answered */
  readonly status?: 200 | 201 | 202 | 303;
}

/** Where all routes of the table are. */
export const apiPrefix = "/api/v1";

/** Defines a route; its precise type carries the schemas to handlers and clients. */
export function defineRoute<const R extends RouteDefinition>(route: R): R {
  return route;
}

/** Whether content is raw. */
export function isRaw(content: z.ZodType | RawContent | "nothing" | undefined): content is RawContent {
  return typeof content === "object" && "mediaType" in content;
}

/** What a schema gives after checking; `undefined` where there is none. */
export type Checked<S> = S extends z.ZodType ? z.output<S> : undefined;

/** What a caller may write for a schema. */
export type Written<S> = S extends z.ZodType ? z.input<S> : undefined;
