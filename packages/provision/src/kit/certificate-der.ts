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
    const [certificate] = readAll(der);
    const fields = children(children(certificate)[0]);
    // The version comes first and is missing in certificates of version 1, which have no extensions.
    const signatureAlgorithm = oidText(children(fields.filter(({ tag }) => tag === tags.sequence)[0])[0]);
    const extensions = fields
      .filter(({ tag }) => tag === tags.extensions)
      .flatMap((field) => children(children(field)[0]).map(readExtension));
    const constraints = extensions.find(({ id }) => id === basicConstraints);
    return {
      signatureAlgorithm,
      pathLength: constraints === undefined ? undefined : readPathLength(constraints.value),
      criticalExtensions: extensions.filter(({ isCritical }) => isCritical).map(({ id }) => id),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const basicConstraints = "2.5.29.19";
const tags = { boolean: 0x01, integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x30, extensions: 0xa3 } as const;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

function readExtension(element: Element): Extension {
  const parts = children(element);
  const value = parts.at(-1);
  if (value?.tag !== tags.octets) throw new RangeError("an extension has no value");
  return { id: oidText(parts[0]), isCritical: parts[1]?.tag === tags.boolean && parts[1].content[0] !== 0, value: value.content };
}

function readPathLength(value: Buffer): number | undefined {
  const length = children(readAll(value)[0]).find(({ tag }) => tag === tags.integer)?.content;
  if (length === undefined) return undefined;
  // A longer or negative one is not one that a certificate of ours can have.
  if (length.length !== 1) throw new RangeError("a path length is out of range");
  return length.readInt8() < 0 ? 0 : length.readInt8();
}

function children(element: Element | undefined): Element[] {
  if (element === undefined) throw new RangeError("an element is missing");
  return readAll(element.content);
}

function readAll(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 4 || first === 0x80) throw new RangeError("a length is not one of DER");
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) throw new RangeError("an element ends after its container");
    elements.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

function oidText(element: Element | undefined): string {
  if (element?.tag !== tags.oid || element.content.length === 0) throw new RangeError("an object identifier is missing");
  const parts: number[] = [];
  let value = 0;
  for (const byte of element.content) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (parts.length === 0) parts.push(Math.min(Math.floor(value / 40), 2), value - 40 * Math.min(Math.floor(value / 40), 2));
    else parts.push(value);
    value = 0;
  }
  return parts.join(".");
}
