import type { X509Certificate } from "node:crypto";
import { canonicalHost } from "./canonical-host.js";

/** What FLARE keeps in a certificate's subject. */
export interface SubjectFields {
  readonly commonName: string;
  readonly org: string;
  readonly role: string;
}

/** Reads name, organisation and role from a certificate; what is not there is empty. */
export function readSubject(certificate: X509Certificate): SubjectFields {
  // A line for each attribute; within one, OpenSSL escapes line breaks, so that none can be forged.
  const fields = new Map(
    certificate.subject.split("\n").map((line): [string, string] => {
      const [name, value] = splitOnce(line);
      return [name, unescape(value)];
    }),
  );
  return { commonName: fields.get("CN") ?? "", org: fields.get("O") ?? "", role: fields.get("unstructuredName") ?? "" };
}

/** Host names and addresses that a certificate is good for, in its order. */
export function readHosts(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "").split(", ").flatMap((entry) => {
    const [kind, value] = splitOnce(entry, ":");
    return kind === "DNS" || kind === "IP Address" ? [canonicalHost(value)] : [];
  });
}

/** Takes back what OpenSSL escapes: `\\,` for characters with a meaning in names (RFC 2253), `\\0A` for control characters. */
function unescape(value: string): string {
  return value.replaceAll(/\\(?:([0-9A-F]{2})|(.))/g, (_whole, hex: string | undefined, char: string) =>
    hex === undefined ? char : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function splitOnce(text: string, separator = "="): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
