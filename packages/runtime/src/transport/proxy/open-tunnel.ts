import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { FlareError } from "@flare-ts/contracts";
import { addressOf, type HttpProxy } from "./http-proxy.js";
import type { ProxiedTarget } from "./no-proxy.js";

/** How long a proxy may take to answer. Its own attempts to reach a dead server end long before. */
const answerMs = 45_000;

/**
 * Asks a proxy by CONNECT (RFC 9110, 9.3.6) for a tunnel to the target, over a connection to the proxy that is open already.
 * Resolves with that connection when the other end of it is the target. An abort destroys it.
 *
 * @throws FlareError `transfer/proxy-authentication`, `transfer/proxy-forbidden`, `transfer/proxy-failed`
 */
export async function openTunnel(
  socket: Socket,
  proxy: HttpProxy,
  target: ProxiedTarget,
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number } = {},
): Promise<Socket> {
  const authority = addressOf(target);
  const asked = request({
    method: "CONNECT",
    path: authority,
    createConnection: () => socket,
    headers: {
      host: authority,
      connection: "keep-alive",
      ...(proxy.credentials === undefined ? {} : { "proxy-authorization": `Basic ${Buffer.from(proxy.credentials).toString("base64")}` }),
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return await new Promise<Socket>((resolve, reject) => {
    const fail = (error: FlareError): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(failed(proxy, authority, "it does not answer")), options.timeoutMs ?? answerMs);
    asked.on("error", (error) => {
      if (options.signal?.aborted === true) fail(FlareError.from(options.signal.reason));
      else fail(failed(proxy, authority, hangUps.has(codeOf(error)) ? "it ended the connection without an answer" : error.message));
    });
    asked.once("connect", (response: IncomingMessage, _socket: Socket, head: Buffer) => {
      const { statusCode = 0 } = response;
      if (statusCode < 200 || statusCode > 299) return fail(refusalOf(response, proxy, authority));
      clearTimeout(timer);
      // What the target said already may have come with the proxy's answer.
      if (head.byteLength > 0) socket.unshift(head);
      resolve(socket);
    });
    // An answer that is none to CONNECT, such as a page.
    asked.once("response", (response: IncomingMessage) => fail(refusalOf(response, proxy, authority)));
    asked.end();
  });
}

const hangUps = new Set(["ECONNRESET", "EPIPE"]);

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

function refusalOf({ statusCode = 0, statusMessage = "", headers }: IncomingMessage, proxy: HttpProxy, authority: string): FlareError {
  const at = addressOf(proxy);
  const said = `${statusCode} ${statusMessage.slice(0, 100)}`.trim();
  const facts = { proxy: at, variable: proxy.variable, server: authority, status: statusCode };
  if (statusCode === 407) {
    const schemes = schemesOf(headers["proxy-authenticate"]);
    return new FlareError("transfer/proxy-authentication", `The proxy ${at} of ${proxy.variable} ${complaint(proxy, schemes)} (${said}).`, {
      facts: { ...facts, schemes },
    });
  }
  if (statusCode >= 400 && statusCode < 500) {
    return new FlareError(
      "transfer/proxy-forbidden",
      `The proxy ${at} of ${proxy.variable} does not allow a connection to ${authority} (${said}).`,
      {
        facts,
      },
    );
  }
  return failed(proxy, authority, `it answers ${said}`, { status: statusCode });
}

function complaint({ credentials }: HttpProxy, schemes: string[]): string {
  if (schemes.length > 0 && !schemes.some((scheme) => scheme.toLowerCase() === "basic"))
    return `wants ${schemes.join(" or ")} authentication; only Basic is there`;
  return credentials === undefined ? "wants a user and a password, and its URL has none" : "does not take the user and password of its URL";
}

// The names of the schemes alone: what stands behind a comma may also be a parameter of the one before.
function schemesOf(header: string | readonly string[] | undefined): string[] {
  const lines = typeof header === "string" ? [header] : (header ?? []);
  return lines.flatMap((line) =>
    [...line.matchAll(/(?:^|,)\s*([A-Za-z][\w-]{0,30})(?=\s*(?:,|$)|\s+[\w"])/g)].map((match) => match[1] ?? ""),
  );
}

function failed(proxy: HttpProxy, authority: string, why: string, facts: { readonly status?: number } = {}): FlareError {
  const at = addressOf(proxy);
  return new FlareError("transfer/proxy-failed", `The proxy ${at} of ${proxy.variable} gives no connection to ${authority}: ${why}.`, {
    facts: { proxy: at, variable: proxy.variable, server: authority, ...facts },
  });
}
