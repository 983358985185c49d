import { type ConnectionSecurity, FlareError } from "@flare-ts/contracts";
import type { ProjectKeys } from "../session/project-keys.js";

export interface DialTarget {
  readonly keys: ProjectKeys;
  readonly host: string;
  readonly port: number;
  /** @default "mtls" */
  readonly connectionSecurity?: ConnectionSecurity;
  readonly customRootCaPem?: string | undefined;
}

/** Says what a failed connection attempt means: nobody there, or somebody who does not accept us, or whom we do not. */
export function explainDialFailure(reason: unknown, target: DialTarget): FlareError {
  const { keys, host, port, connectionSecurity = "mtls" } = target;
  const error = FlareError.from(reason);
  if (error.code !== "transfer/disconnected") return error;
  const address = `${host}:${port}`;
  const { details: told } = error.facts;
  const details = inWords(typeof told === "string" ? told : error.message);
  const facts = { address, details };
  if (speaksNoTls(details)) {
    const message = `${address} answers without TLS, and this kit says connection_security ${connectionSecurity}: another program, or a server whose kit says clear.`;
    return new FlareError("auth/tls-refused", message, { facts, cause: error });
  }
  if (tlsPattern.test(details) && !cutPattern.test(details)) {
    return new FlareError("auth/tls-refused", `TLS with ${address} failed: ${details}${hintOf(details, target)}`, { facts, cause: error });
  }
  // Where TLS ends at a proxy, nobody has seen this participant's certificate so far.
  const fault = connectionSecurity === "mtls" ? faultOf(keys) : undefined;
  if (fault !== undefined && hangUpPattern.test(details)) {
    return new FlareError("auth/tls-refused", `${address} ended the connection: ${fault}.`, { facts: { ...facts, fault }, cause: error });
  }
  const hint = isHungUp(details, connectionSecurity) ? ` Something answers there and hangs up: ${whoHangsUp[connectionSecurity]}` : "";
  return new FlareError("transfer/unreachable", `The server at ${address} cannot be reached: ${details}${hint}`, { facts, cause: error });
}

/** The library's words, without what tells nobody anything, such as where it has spent a time that is over. */
function inWords(details: string): string {
  const seconds = /^Deadline exceeded after (\d+)/.exec(details)?.[1];
  if (seconds !== undefined) return `nobody has answered for ${seconds} s; the machine, the server's process or the network stands still.`;
  const cause = details.replace(/^No connection established\. Last error: (Error: )?/, "");
  return /ECONNREFUSED/.test(cause) ? `nothing listens there (${cause.replace(/\.$/, "")}).` : cause;
}

/** Whether the first bytes of an answer were none of TLS, in the words of OpenSSL. */
export function speaksNoTls(details: string): boolean {
  return /wrong version number/.test(details);
}

/** Where there was no mutual TLS, the library may have no word for a connection that is closed at once. */
function isHungUp(details: string, security: ConnectionSecurity): boolean {
  const isCut = /disconnected before secure TLS|ECONNRESET|hang up|EPIPE/i.test(details);
  return isCut || (security !== "mtls" && /Failed to connect|dropped/.test(details));
}

/** A server that is up and does not accept a connection closes it without a word, as does what is no FLARE server at all. */
const whoHangsUp: Record<ConnectionSecurity, string> = {
  mtls: "another program, or a server that does not accept this kit's certificate, such as that of another project. `flare preflight` tells which.",
  tls: "another program, or a server that asks for a certificate. This kit says connection_security tls, which shows none; does the server's say mtls?",
  clear: "another program, or a server that expects TLS. This kit says connection_security clear; does the server's say mtls or tls?",
};

const tlsPattern = /certificate|altname|does not match|\bSSL\b|\bTLS\b|alert|handshake|self.signed|issuer/i;
/** Node's words for a connection that ended in the middle of a handshake: nobody has refused anything, and the next attempt may do. */
const cutPattern = /disconnected before secure TLS/i;
const hangUpPattern = /disconnected before secure TLS|ECONNRESET|hang up|Failed to connect|dropped|RST_STREAM|EPIPE|closed/i;

function hintOf(details: string, { host, connectionSecurity, customRootCaPem }: DialTarget): string {
  const whose = connectionSecurity === "tls" ? "The certificate shown there" : "The server's certificate";
  if (/altname|does not match/i.test(details)) return ` ${whose} does not carry the name ${host}.`;
  if (/issuer|self.signed|unable to (get|verify)/i.test(details)) {
    if (customRootCaPem !== undefined) return ` ${whose} was not issued by a root in startup/customRootCA.pem.`;
    const hint = connectionSecurity === "tls" ? "; that of a proxy needs the project's custom_ca_cert" : "";
    return ` ${whose} was not issued by the root of this kit's project${hint}.`;
  }
  if (/expired/i.test(details)) return " A certificate is past its last day.";
  return "";
}

// A server that refuses a certificate just closes the connection, so the cause is looked for in our own.
function faultOf({ certificatePem, trust }: ProjectKeys): string | undefined {
  const verdict = trust.verify(certificatePem, { nowMs: Date.now() });
  return verdict.ok ? undefined : verdict.message.replace(/\.$/, "");
}
