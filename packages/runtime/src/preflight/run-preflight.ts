import type { Socket } from "node:net";
import { FlareError } from "@flare-ts/contracts";
import { isLoopback } from "../transport/connection-security.js";
import { addressOf } from "../transport/proxy/http-proxy.js";
import { checkClock } from "./check-clock.js";
import { checkDisk } from "./check-disk.js";
import { type CheckedKit, checkKit, checkSettings } from "./check-kit.js";
import { checkListening, checkReach } from "./check-listening.js";
import { checkServer } from "./check-server.js";
import { checkTls } from "./check-tls.js";
import { checkWay } from "./check-way.js";
import { type PreflightCheck, type PreflightCheckName, skipped } from "./preflight-check.js";
import { machineParts, type PreflightParts } from "./preflight-parts.js";

export interface RunPreflightInit {
  /** Startup kit of a server, a site, a relay or an admin. */
  readonly kitDir: string;
  /** Folder in which a start would keep what it keeps. @default the kit */
  readonly workspace?: string | undefined;
  /** Size of a model for which room and time are looked at. @default 100_000_000 */
  readonly modelBytes?: number | undefined;
  /** Whether clear text may leave this machine. @default false */
  readonly isClearAllowed?: boolean | undefined;
  /** How long each direction of the way is measured. @default 2_000 */
  readonly measureMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears of each check as soon as it is done. */
  readonly onCheck?: ((check: PreflightCheck) => void) | undefined;
}

const defaultModelBytes = 100_000_000;
const defaultMeasureMs = 2_000;

/**
 * Looks at a kit and everything around it that a start needs, and says of each thing that is wrong how to fix it. Nothing that
 * runs is disturbed. What is wrong is part of the result, not an error; an abort ends it between two steps, or in one that waits.
 *
 * @throws FlareError `internal/aborted`
 */
export async function runPreflight(init: RunPreflightInit, parts: PreflightParts = machineParts): Promise<readonly PreflightCheck[]> {
  const {
    kitDir,
    modelBytes = defaultModelBytes,
    isClearAllowed = false,
    measureMs = defaultMeasureMs,
    signal = new AbortController().signal,
  } = init;
  const checks: PreflightCheck[] = [];
  const add = (...found: readonly PreflightCheck[]): void => {
    for (const check of found) {
      checks.push(check);
      init.onCheck?.(check);
    }
  };
  try {
    const { read, checks: ofKit } = await checkKit(kitDir, { workspace: init.workspace, nowMs: parts.now() });
    add(...ofKit);
    if (read === undefined) return checks;
    const { kit } = read;
    if (kit.type !== "admin") add(await checkSettings(kit));
    signal.throwIfAborted();
    // A relay keeps nothing of what it carries.
    const keptBytes = kit.type === "relay" ? 0 : modelBytes;
    add(await checkDisk(parts, { workspace: init.workspace ?? kit.dir, modelBytes: keptBytes, signal }));
    const listening = kit.type === "server" ? kit.endpoint : kit.listening;
    if (listening !== undefined) add(await checkListening(kit, listening), await checkReach(kit, listening));
    if (kit.type !== "server") await checkServerFromHere(read, parts, { modelBytes, isClearAllowed, measureMs, signal, add });
    return checks;
  } catch (error) {
    if (signal.aborted) throw FlareError.from(signal.reason);
    throw error;
  }
}

async function checkServerFromHere(
  read: CheckedKit,
  parts: PreflightParts,
  {
    add,
    ...init
  }: {
    readonly modelBytes: number;
    readonly isClearAllowed: boolean;
    readonly measureMs: number;
    readonly signal: AbortSignal;
    readonly add: (...found: readonly PreflightCheck[]) => void;
  },
): Promise<void> {
  const { signal } = init;
  const { kit } = read;
  const { endpoint } = kit;
  const way = await checkWay(parts, endpoint, signal);
  add(...way.checks);
  if (way.open === undefined) return add(...notTried("tls", "http2", "clock", "server", "bandwidth"));
  const isSafe = await checkConnection(read, parts, { open: way.open, signal, add });
  // Nothing is sent to whom the kit does not trust.
  if (!isSafe) return add(...notTried("server", "bandwidth"));
  add(...(await checkServer(parts, { ...read, ...init })));
}

/** TLS, HTTP/2 and the clock, on one connection; whether the way is one that the kit can be used on. */
async function checkConnection(
  read: CheckedKit,
  parts: PreflightParts,
  {
    open,
    signal,
    add,
  }: { readonly open: () => Promise<Socket>; readonly signal: AbortSignal; readonly add: (...found: readonly PreflightCheck[]) => void },
): Promise<boolean> {
  const { endpoint } = read.kit;
  const authority = addressOf(endpoint);
  const isEndedByProxy = endpoint.connectionSecurity !== "mtls" && !isLoopback(endpoint.host);
  if (endpoint.connectionSecurity === "clear") {
    add(skipped("tls", "The kit says connection_security clear: there is no TLS."), skipped("http2", "There is no TLS to agree on it by."));
    add(await checkClock(parts, { socket: await open(), authority, isEndedByProxy, signal }));
    return true;
  }
  const { checks, socket } = await checkTls(read, open, signal);
  add(...checks);
  if (socket === undefined) {
    add(...notTried("clock"));
    return false;
  }
  add(await checkClock(parts, { socket, authority, isEndedByProxy, signal }));
  return checks.every(({ outcome }) => outcome !== "problem");
}

function notTried(...names: readonly PreflightCheckName[]): readonly PreflightCheck[] {
  return names.map((name) => skipped(name, "Not tried."));
}
