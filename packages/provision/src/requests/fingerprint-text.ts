import type { X509Certificate } from "node:crypto";

/** SHA-256 of a certificate as people compare it, FLARE's form: `SHA256:AA:BB:…`. */
export function fingerprintText({ fingerprint256 }: X509Certificate): string {
  return `SHA256:${fingerprint256}`;
}

/**
 * Reads a fingerprint as people hand it on: as above, `sha256 Fingerprint=AA:BB:…` of openssl, or 64 digits alone.
 * `undefined` for what is none.
 */
export function parseFingerprint(text: string): string | undefined {
  const digits = text
    .trim()
    .replace(/^sha256\s+fingerprint\s*=\s*/i, "")
    .replace(/^sha256\s*[:=]\s*/i, "");
  if (!/^(?:[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i.test(digits)) return undefined;
  const pairs = digits.replaceAll(":", "").toUpperCase().match(/../g) ?? [];
  return `SHA256:${pairs.join(":")}`;
}
