import { type ErrorCode, FlareError } from "@flare-ts/contracts";
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { ErrorAnswer } from "../contract/api-error.js";

/** Answers an error as the contract says: code, message, what to do; never a stack, never the text of an unexpected error. */
export function answerError(reason: unknown, request: FastifyRequest, reply: FastifyReply, logger: FastifyBaseLogger): void {
  const error = knownError(reason);
  const { http, todo } = error.row;
  if (http >= 500) logger.error({ code: error.code, requestId: request.id, err: error.cause ?? error }, "a request failed");
  const retryAfterMs = error.facts["retryAfterMs"];
  const answer: ErrorAnswer = {
    error: {
      code: error.code,
      message: messageOf(error, request),
      todo,
      ...(error.problems.length === 0 ? {} : { problems: error.problems.map(problemOf) }),
      ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
    },
  };
  if (typeof retryAfterMs === "number") reply.header("retry-after", String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  // A raw route's type may stand already; an error is JSON everywhere.
  reply.code(http).type("application/json; charset=utf-8").header("cache-control", "no-store").send(JSON.stringify(answer));
}

/** What goes wrong inside may name files and hosts: strangers are told what kind of thing it is, the log has the rest. */
function messageOf(error: FlareError, request: FastifyRequest): string {
  if (error.row.http < 500 || error.code.startsWith("dashboard/")) return error.message;
  return `${error.row.means} The dashboard's log has more under ${request.id}.`;
}

function problemOf({ message, path }: { readonly message: string; readonly path?: string }): { message: string; path?: string } {
  return path === undefined ? { message } : { message, path };
}

/** Fastify's own refusals, by status: everything that it finds wrong with a request has one below 500. */
const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  404: "dashboard/route-unknown",
  413: "dashboard/too-large",
  415: "dashboard/media-type",
  429: "dashboard/too-many-requests",
};

function knownError(reason: unknown): FlareError {
  if (reason instanceof FlareError || !(reason instanceof Error)) return FlareError.from(reason);
  const status = (reason as { statusCode?: unknown }).statusCode;
  if (typeof status !== "number" || status < 400 || status >= 500) return FlareError.from(reason);
  return new FlareError(codeByStatus[status] ?? "dashboard/invalid-request", sentence(reason.message), { cause: reason });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
