import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import { failed, type PreflightCheck, passed, skipped, warned } from "./preflight-check.js";
import type { PreflightParts } from "./preflight-parts.js";

/** HTTP dates have whole seconds. */
const resolutionMs = 1_000;
const warnMs = 30_000;
const problemMs = 300_000;
const answerMs = 10_000;

/**
 * Compares the clock of this machine with that of whoever answers, by the date in the answer to a call that needs no
 * session. It is as precise as such dates are: to half a second and half the way there and back.
 */
export async function checkClock(
  { now }: Pick<PreflightParts, "now">,
  init: { readonly socket: Duplex; readonly authority: string; readonly isEndedByProxy: boolean; readonly signal: AbortSignal },
): Promise<PreflightCheck> {
  const sentMs = now();
  const date = await askDate(init);
  const gotMs = now();
  init.signal.throwIfAborted();
  if (date === undefined) return skipped("clock", "The server gave no date, so its clock is not known.");
  // The other clock showed a moment of that second while the call was under way.
  const leastMs = date - gotMs;
  const mostMs = date + resolutionMs - sentMs;
  const skewMs = (leastMs + mostMs) / 2;
  const precisionMs = (mostMs - leastMs) / 2;
  const whose = init.isEndedByProxy ? "the proxy that ends TLS" : "the server";
  const facts = { skew_ms: Math.round(skewMs), precision_ms: Math.round(precisionMs) };
  if (leastMs <= 0 && mostMs >= 0)
    return passed("clock", `This machine's clock and that of ${whose} agree, to ${(precisionMs / 1000).toFixed(1)} s.`, facts);
  const seconds = Math.abs(skewMs / 1000);
  const by = seconds < 120 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
  const found = `This machine's clock is ${by} ${skewMs > 0 ? "behind" : "ahead of"} that of ${whose}.`;
  const todo = "Set the clock of the machine that is wrong, best by NTP: certificates and tokens have dates.";
  if (Math.abs(skewMs) >= problemMs) return failed("clock", found, todo, facts);
  return Math.abs(skewMs) >= warnMs ? warned("clock", found, todo, facts) : passed("clock", found, facts);
}

/** Milliseconds since the epoch. */
async function askDate({
  socket,
  authority,
  signal,
}: {
  readonly socket: Duplex;
  readonly authority: string;
  readonly signal: AbortSignal;
}): Promise<number | undefined> {
  const session = connect(`http://${authority}`, { createConnection: () => socket });
  session.on("error", () => undefined);
  try {
    // A method that does not exist: it is answered before anything is looked at.
    const call = session.request({
      ":method": "POST",
      ":path": "/flare.v1.Session/Preflight",
      "content-type": "application/grpc+proto",
      te: "trailers",
    });
    call.on("error", () => undefined);
    call.end();
    const [headers] = (await Promise.race([
      once(call, "response", { signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]) }),
      once(session, "close").then(() => [{}]),
    ])) as [IncomingHttpHeaders];
    const date = Date.parse(headers["date"] ?? "");
    return Number.isNaN(date) ? undefined : date;
  } catch {
    return undefined;
  } finally {
    session.destroy();
  }
}
