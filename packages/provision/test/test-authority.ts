import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import type { TrustListSigner } from "../src/kit/trust-list.js";

/** What a certificate of a test says; what is left out is as it should be. */
export interface TestCertificateInit {
  readonly name: string;
  readonly org?: string;
  /** What stands in unstructuredName. @default none */
  readonly role?: string;
  /** @default an hour before `testNow` */
  readonly validFrom?: Date;
  /** @default a day after `testNow` */
  readonly validTo?: Date;
  /** Hexadecimal. @default random */
  readonly serial?: string;
  /** @default "p256" */
  readonly key?: "p256" | "p384" | "p521" | "rsa2048" | "rsa1024" | "ed25519";
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  /** A critical extension, by its dotted identifier. */
  readonly criticalExtension?: string;
}

export const testNow = new Date("2026-11-25T12:00:00Z");
const hour = 3_600_000;

/** A certificate of a test with its key; an authority issues others. */
export class TestCertificate implements TrustListSigner {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  readonly #subject: Buffer;
  readonly #keyId: Buffer;

  private constructor(init: TestCertificateInit, issuer: TestCertificate | undefined) {
    const { privateKey, publicKey } = keyPairOf(init.key ?? "p256");
    this.privateKey = privateKey;
    this.#subject = nameOf(init);
    const spki = publicKey.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha1").update(spki).digest();
    const by = issuer ?? this;
    const signingKey = by.privateKey;
    const algorithm = algorithmOf(signingKey);
    const body = sequence(
      tlv(0xa0, integer(Buffer.from([2]))),
      integer(init.serial === undefined ? Buffer.concat([Buffer.from([0x41]), randomBytes(15)]) : Buffer.from(init.serial, "hex")),
      algorithm,
      by.#subject,
      sequence(time(init.validFrom ?? new Date(testNow.getTime() - hour)), time(init.validTo ?? new Date(testNow.getTime() + 24 * hour))),
      this.#subject,
      spki,
      tlv(0xa3, sequence(...extensionsOf(init, this.#keyId, by.#keyId))),
    );
    const signature = sign(signingKey.asymmetricKeyType === "ed25519" ? undefined : "sha256", body, signingKey);
    this.certificate = new X509Certificate(sequence(body, algorithm, tlv(0x03, Buffer.from([0]), signature)));
  }

  static root(init: TestCertificateInit): TestCertificate {
    return new TestCertificate({ isAuthority: true, ...init }, undefined);
  }

  issue(init: TestCertificateInit): TestCertificate {
    return new TestCertificate(init, this);
  }

  get pem(): string {
    return this.certificate.toString();
  }

  get keyPem(): string {
    return this.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  }
}

function keyPairOf(kind: NonNullable<TestCertificateInit["key"]>): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === "ed25519") return generateKeyPairSync("ed25519");
  if (kind === "rsa1024" || kind === "rsa2048") return generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(3)) });
  return generateKeyPairSync("ec", { namedCurve: kind.replace("p", "P-") });
}

function algorithmOf({ asymmetricKeyType }: KeyObject): Buffer {
  if (asymmetricKeyType === "rsa") return sequence(oid("1.2.840.113549.1.1.11"), tlv(0x05));
  return sequence(oid(asymmetricKeyType === "ed25519" ? "1.3.101.112" : "1.2.840.10045.4.3.2"));
}

function extensionsOf(
  { isAuthority = false, pathLength, criticalExtension }: TestCertificateInit,
  keyId: Buffer,
  issuerKeyId: Buffer,
): Buffer[] {
  const constraints = isAuthority ? [boolean(true), ...(pathLength === undefined ? [] : [integer(Buffer.from([pathLength]))])] : [];
  return [
    extension("2.5.29.19", true, sequence(...constraints)),
    extension("2.5.29.14", false, tlv(0x04, keyId)),
    extension("2.5.29.35", false, sequence(tlv(0x80, issuerKeyId))),
    ...(criticalExtension === undefined ? [] : [extension(criticalExtension, true, sequence())]),
  ];
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), tlv(0x04, value));
}

function nameOf({ name, org, role }: TestCertificateInit): Buffer {
  const fields = [
    ["2.5.4.3", name],
    ["2.5.4.10", org],
    ["1.2.840.113549.1.9.2", role],
  ] as const;
  return sequence(
    ...fields.flatMap(([id, value]) => (value === undefined ? [] : [tlv(0x31, sequence(oid(id), tlv(0x0c, Buffer.from(value))))])),
  );
}

// DER (X.690), written by hand: Node can read certificates but not make them, and the libraries that can refuse what tests need.
function tlv(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const header = length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), content]);
}

function sequence(...contents: Buffer[]): Buffer {
  return tlv(0x30, ...contents);
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.from([value ? 0xff : 0]));
}

function time(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 127];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}
