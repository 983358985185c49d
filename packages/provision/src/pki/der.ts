/** One element of a DER document. */
export interface DerElement {
  /** Class, form and number in one byte, as encoded. */
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

/** Tags that certificates and requests are made of. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  sequence: 0x30,
  set: 0x31,
  /** Extensions of a certificate. */
  extensions: 0xa3,
} as const;

/** What a document that is not DER, or another one than expected, is refused with; the text says what is wrong. */
export class DerError extends Error {
  override readonly name = "DerError";
}

/**
 * Reads the one element that a document consists of.
 *
 * @throws DerError when it is not DER, has another tag, or is followed by more.
 * @see ITU-T X.690, 10.1: lengths are definite and in their shortest form.
 */
export function readDer(bytes: Buffer, tag?: number): DerElement {
  const [first, ...rest] = readDerList(bytes);
  if (first === undefined || rest.length > 0) throw new DerError("one element was expected");
  if (tag !== undefined && first.tag !== tag) throw new DerError(`tag ${first.tag} stands where ${tag} was expected`);
  return first;
}

/**
 * Reads the elements that stand one after the other in a document or in the content of an element.
 *
 * @throws DerError
 */
export function readDerList(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes.subarray(at));
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

function readElement(bytes: Buffer): DerElement {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) throw new DerError("an element is cut off");
  if ((tag & 0x1f) === 0x1f) throw new DerError("a tag has more than one byte");
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw new DerError("a length is indefinite or too long");
  if (bytes.length < 2 + lengthBytes) throw new DerError("a length is cut off");
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  if (lengthBytes > 0 && (length < 0x80 || bytes[2] === 0)) throw new DerError("a length is not in its shortest form");
  const start = 2 + lengthBytes;
  if (bytes.length < start + length) throw new DerError("an element is cut off");
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}

/**
 * The bytes of a bit string whose bits fill them.
 *
 * @throws DerError
 */
export function bitStringBytes({ tag, content }: DerElement): Buffer {
  if (tag !== derTag.bitString || content[0] !== 0) throw new DerError("a bit string was expected");
  return content.subarray(1);
}

/**
 * An object identifier in its dotted form.
 *
 * @throws DerError
 * @see ITU-T X.690, 8.19
 */
export function oidText({ tag, content }: DerElement): string {
  if (tag !== derTag.oid || content.length === 0) throw new DerError("an object identifier was expected");
  const parts: number[] = [];
  let part: number | undefined;
  for (const byte of content) {
    // A leading zero would give one identifier two forms.
    if (part === undefined && byte === 0x80) throw new DerError("an object identifier is not in its shortest form");
    part = (part ?? 0) * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    const root = Math.min(Math.floor(part / 40), 2);
    parts.push(...(parts.length === 0 ? [root, part - 40 * root] : [part]));
    part = undefined;
  }
  if (part !== undefined) throw new DerError("an object identifier is cut off");
  return parts.join(".");
}
