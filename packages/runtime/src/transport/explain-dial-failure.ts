import { FlareError } from "@flare-ts/contracts";
import type { ProjectKeys } from "../session/project-keys.js";

export interface DialTarget {
  readonly keys: ProjectKeys;
  readonly host: string;
  readonly port: number;
}

/** Says what a failed connection attempt means: nobody there, or somebody who does not accept us, or whom we do not. */
export function explainDialFailure(reason: unknown, { keys, host, port }: DialTarget): FlareError {
  const error = FlareError.from(reason);
  if (error.code !== "transfer/disconnected") return error;
  const address = `${host}:${port}`;
  const { details: told } = error.facts;
  const details = typeof told === "string" ? told : error.message;
  const facts = { address, details };
  if (tlsPattern.test(details)) {
    return new FlareError("auth/tls-refused", `TLS with ${address} failed: ${details}${hintOf(details, host)}`, { facts, cause: error });
  }
  const fault = faultOf(keys);
  if (fault !== undefined && hangUpPattern.test(details)) {
    return new FlareError("auth/tls-refused", `${address} ended the connection: ${fault}.`, { facts: { ...facts, fault }, cause: error });
  }
  return new FlareError("transfer/unreachable", `The server at ${address} cannot be reached: ${details}`, { facts, cause: error });
}

const tlsPattern = /certificate|altname|does not match|\bSSL\b|\bTLS\b|alert|handshake|self.signed|issuer/i;
const hangUpPattern = /ECONNRESET|hang up|Failed to connect|dropped|RST_STREAM|EPIPE|closed/i;

function hintOf(details: string, host: string): string {
  if (/altname|does not match/i.test(details)) return ` The server's certificate does not carry the name ${host}.`;
  if (/issuer|self.signed|unable to (get|verify)/i.test(details))
    return " The server's certificate was not issued by the root of this kit's project.";
  if (/expired/i.test(details)) return " A certificate is past its last day.";
  return "";
}

// A server that refuses a certificate just closes the connection, so the cause is looked for in our own.
function faultOf({ certificatePem, trust }: ProjectKeys): string | undefined {
  const verdict = trust.verify(certificatePem, { nowMs: Date.now() });
  return verdict.ok ? undefined : verdict.message.replace(/\.$/, "");
}
