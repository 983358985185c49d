import type { X509Certificate } from "node:crypto";
import type { Revocation } from "@flare-ts/contracts";
import { readSubject } from "../pki/read-certificate.js";

/** Finds out whether a certificate was revoked. */
export class Revocations {
  readonly #bySerial = new Map<string, Revocation>();
  /** Of several with one name, the latest. */
  readonly #byName = new Map<string, Revocation>();

  constructor(revoked: readonly Revocation[]) {
    for (const revocation of revoked) {
      for (const serial of revocation.serials) this.#bySerial.set(canonicalSerial(serial), revocation);
      const known = this.#byName.get(revocation.name);
      if (known === undefined || known.revoked_at_ms < revocation.revoked_at_ms) this.#byName.set(revocation.name, revocation);
    }
  }

  /** A certificate is revoked by its serial number, or by its name when it is not younger than the revocation. */
  find(certificate: X509Certificate): Revocation | undefined {
    const bySerial = this.#bySerial.get(canonicalSerial(certificate.serialNumber));
    if (bySerial !== undefined) return bySerial;
    const byName = this.#byName.get(readSubject(certificate).commonName);
    if (byName === undefined) return undefined;
    // A date that cannot be read is not after anything.
    return certificate.validFromDate.getTime() > byName.revoked_at_ms ? undefined : byName;
  }
}

function canonicalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, "");
}
