import type { KeyObject } from "node:crypto";

const leastRsaBits = 2048;
const mostRsaBits = 4096;

/**
 * Says why a public key is not good enough for a certificate; `undefined` when it is. RSA from 2048 to 4096 bits with an
 * exponent that is odd and above 65536, and P-256, are.
 *
 * @see NIST SP 800-57 part 1, table 2; FIPS 186-5, A.1.1 for the exponent.
 */
export function weaknessOf(publicKey: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = publicKey;
  if (type === "ec") {
    return details.namedCurve === "prime256v1" ? undefined : `its curve is ${details.namedCurve ?? "unnamed"}; only P-256 is accepted`;
  }
  if (type !== "rsa") return `it is of the kind ${type ?? "unknown"}; RSA and P-256 are accepted`;
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = details;
  if (bits < leastRsaBits || bits > mostRsaBits) return `it has ${bits} bits; RSA keys from ${leastRsaBits} to ${mostRsaBits} are accepted`;
  if (exponent <= 65_536n || exponent % 2n === 0n || exponent > 0xff_ff_ff_ffn) return "its public exponent is not a usual one (65537)";
  return undefined;
}
