import { type DerElement, DerError, derTag, oidText, readDer, readDerList } from "../pki/der.js";

/** What Node's `X509Certificate` does not tell of a certificate. */
export interface CertificateDetails {
  /** Dotted object identifier of the algorithm that it is signed with. */
  readonly signatureAlgorithm: string;
  /** How many authorities may stand between this one and a participant; `undefined` for any number. */
  readonly pathLength: number | undefined;
  /** Object identifiers of the extensions that nobody may pass over. */
  readonly criticalExtensions: readonly string[];
}

/**
 * Reads further parts of a certificate (RFC 5280, 4.1) from its DER; `undefined` when they are not as they should be.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
export function readCertificateDetails(der: Buffer): CertificateDetails | undefined {
  try {
    const [body] = parts(readDer(der));
    const fields = parts(body);
    // The version comes first and is missing in certificates of version 1, which have no extensions.
    const [algorithm] = parts(fields.find(({ tag }) => tag === derTag.sequence));
    const extensions = fields.filter(({ tag }) => tag === derTag.extensions).flatMap((field) => parts(parts(field)[0]).map(readExtension));
    const constraints = extensions.find(({ id }) => id === basicConstraints);
    return {
      signatureAlgorithm: oidText(present(algorithm)),
      pathLength: constraints === undefined ? undefined : readPathLength(constraints.value),
      criticalExtensions: extensions.filter(({ isCritical }) => isCritical).map(({ id }) => id),
    };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

const basicConstraints = "2.5.29.19";

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

function readExtension(element: DerElement): Extension {
  const [id, second, ...rest] = parts(element);
  const value = rest.at(-1) ?? second;
  if (value?.tag !== derTag.octetString) throw new DerError("an extension has no value");
  return { id: oidText(present(id)), isCritical: second?.tag === derTag.boolean && second.content[0] !== 0, value: value.content };
}

function readPathLength(value: Buffer): number | undefined {
  const length = parts(readDer(value)).find(({ tag }) => tag === derTag.integer)?.content;
  if (length === undefined) return undefined;
  // A longer or negative one is not one that a certificate of ours can have.
  if (length.length !== 1) throw new DerError("a path length is out of range");
  return length.readInt8() < 0 ? 0 : length.readInt8();
}

function parts(element: DerElement | undefined): DerElement[] {
  return readDerList(present(element).content);
}

function present(element: DerElement | undefined): DerElement {
  if (element === undefined) throw new DerError("an element is missing");
  return element;
}
