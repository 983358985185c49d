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
  const fields = new Map(certificate.subject.split("\n").map((line): [string, string] => splitOnce(line)));
  const textOf = (name: string): string => (fields.get(name) ?? "").replace(escaped, "$1");
  return { commonName: textOf("CN"), org: textOf("O"), role: textOf("unstructuredName") };
}

/** OpenSSL escapes these (RFC 2253, 2.4); a backslash and control characters stay as it writes them, so that no two names read alike. */
const escaped = /\\([,+"<>;# ])/g;

/** Host names and addresses that a certificate is good for, in its order. */
export function readHosts(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "").split(", ").flatMap((entry) => {
    const [kind, value] = splitOnce(entry, ":");
    return kind === "DNS" || kind === "IP Address" ? [canonicalHost(value)] : [];
  });
}

function splitOnce(text: string, separator = "="): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
