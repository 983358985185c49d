import type { z } from "zod";
import { ApiError, type ErrorAnswer } from "./api-error.js";
import { apiPrefix, isRaw, type RawContent, type RouteDefinition, type Written } from "./define-route.js";

/** What a call gives: parameters, query and body where the route has them. */
export type CallInput<R extends RouteDefinition> = Part<R, "params"> & Part<R, "query"> & BodyPart<R> & { readonly signal?: AbortSignal };

/** What a call answers: the response's content, the `Response` itself where the content is raw. */
export type CallOutput<R extends RouteDefinition> = R["response"] extends z.ZodType
  ? z.output<R["response"]>
  : R["response"] extends RawContent
    ? Response
    : undefined;

/** Calls routes of the dashboard by their definitions. */
export interface ApiClient {
  /** @throws ApiError with the code that the dashboard answered */
  call<R extends RouteDefinition>(route: R, ...input: Arguments<CallInput<R>>): Promise<CallOutput<R>>;
}

export interface ApiClientInit {
  /** Where the dashboard is, without `/api/v1`; empty for the page's own origin. */
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
}

/**
 * Makes a client whose types come from the routes. It keeps the CSRF token that the dashboard last gave and sends it with
 * every change; cookies are the business of `fetch`.
 */
export function createApiClient({ baseUrl, fetch }: ApiClientInit): ApiClient {
  let csrfToken: string | undefined;
  return {
    async call<R extends RouteDefinition>(route: R, ...[input]: Arguments<CallInput<R>>): Promise<CallOutput<R>> {
      const { params, query, body, signal } = (input ?? {}) as LooseInput;
      const headers: Record<string, string> = { accept: isRaw(route.response) ? route.response.mediaType : "application/json" };
      if (route.method !== "GET" && csrfToken !== undefined) headers["x-csrf-token"] = csrfToken;
      if (body !== undefined) headers["content-type"] = isRaw(route.body) ? route.body.mediaType : "application/json";
      const response = await fetch(`${baseUrl}${routeUrl(route, params, query)}`, {
        method: route.method,
        headers,
        credentials: "same-origin",
        redirect: "manual",
        ...(body === undefined
          ? {}
          : { body: isRaw(route.body) ? (body as NonNullable<Parameters<typeof fetch>[1]>["body"]) : JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      csrfToken = response.headers.get("x-csrf-token") ?? csrfToken;
      if (response.status >= 400) throw await errorOf(response);
      if (isRaw(route.response)) return response as CallOutput<R>;
      if (route.response === "nothing") return undefined as CallOutput<R>;
      return route.response.parse(await response.json()) as CallOutput<R>;
    },
  };
}

/** The address of a route, beginning with `/api/v1`. */
export function routeUrl(
  route: Pick<RouteDefinition, "path">,
  params: Readonly<Record<string, unknown>> = {},
  query: Readonly<Record<string, string | number | boolean | undefined>> = {},
): string {
  const path = route.path.replaceAll(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  return `${apiPrefix}${path}${search.size === 0 ? "" : `?${search.toString()}`}`;
}

async function errorOf(response: Response): Promise<ApiError> {
  const answer = (await response.json().catch(() => undefined)) as ErrorAnswer | undefined;
  if (typeof answer?.error?.code === "string") return new ApiError(response.status, answer.error);
  return new ApiError(response.status, {
    code: "dashboard/unreachable",
    message: `The dashboard answered with status ${response.status}.`,
    todo: "Try again in a moment.",
  });
}

interface LooseInput {
  readonly params?: Record<string, unknown>;
  readonly query?: Record<string, string | number | boolean | undefined>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

type Part<R, K extends "params" | "query"> = R extends { readonly [P in K]: infer S extends z.ZodType }
  ? Nothing extends Written<S>
    ? { readonly [P in K]?: Written<S> }
    : { readonly [P in K]: Written<S> }
  : unknown;

type BodyPart<R> = R extends { readonly body: infer B }
  ? B extends RawContent
    ? { readonly body: Blob | Uint8Array | ReadableStream | string }
    : { readonly body: Written<B> }
  : unknown;

/** An input without anything in it. */
interface Nothing {}

type Arguments<I> = Nothing extends I ? [input?: I] : [input: I];
