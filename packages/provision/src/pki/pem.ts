/** A document in PEM with lines of 64 characters. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The documents with a label in a text, in their order; what stands between them is passed over. */
export function fromPem(label: string, text: string): Buffer[] {
  const blocks = text.matchAll(new RegExp(`-----BEGIN ${label}-----\\r?\\n([A-Za-z0-9+/=\\r\\n \\t]*?)-----END ${label}-----`, "g"));
  return [...blocks].map(([, body = ""]) => Buffer.from(body.replaceAll(/[\r\n \t]/g, ""), "base64"));
}

/** The PEM documents with a label in a text, each by itself. */
export function splitPem(label: string, text: string): string[] {
  return fromPem(label, text).map((der) => toPem(label, der));
}
