import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import type { TrustListDocument } from "@flare-ts/contracts";
import { ProjectTrust, readSubject, signTrustList } from "@flare-ts/provision/kit";
import { type ProjectKeys, readProjectKeys } from "./project-keys.js";

/** What a certificate of a test says; what is left out is as it should be. */
export interface TestSubject {
  readonly name: string;
  /** @default "org_a" */
  readonly org?: string;
  /** @default "client" */
  readonly role?: string;
  /** @default an hour ago */
  readonly validFrom?: Date;
  /** @default in a day */
  readonly validTo?: Date;
  /** Extended key usage. @default none, as FLARE's central provisioning does */
  readonly usage?: "client" | "server";
  /** @default "ec" */
  readonly keyType?: "ec" | "rsa";
}

/** What issues certificates in a test: the root of a project, or an intermediate below one. */
export interface TestAuthority {
  readonly name: string;
  readonly privateKey: KeyObject;
  /** Certificates that stand between a participant and the root, this authority's first; PEM. */
  readonly chainPem: string;
}

/** A project with its own root that issues whatever certificate a test asks for; nothing of it is written to a disk. */
export class TestProject {
  readonly name: string;
  readonly rootCaPem: string;
  readonly root: TestAuthority;

  constructor(name: string) {
    this.name = name;
    const { privateKey, publicKey } = keyPair("ec");
    this.root = { name, privateKey, chainPem: "" };
    this.rootCaPem = certificate({ subject: { name, role: "" }, issuer: this.root, publicKey, isAuthority: true, hosts: [] });
  }

  /** Keys of a participant; another project's root may sign in place of this one's, or an intermediate. */
  issue(subject: TestSubject, issuer: TestProject | TestAuthority = this): ProjectKeys {
    const { privateKey, publicKey } = keyPair(subject.keyType ?? "ec");
    const hosts = subject.role === "server" ? ["localhost", subject.name] : [subject.name];
    const authority = "root" in issuer ? issuer.root : issuer;
    const certificatePem = certificate({ subject, issuer: authority, publicKey, isAuthority: false, hosts }) + authority.chainPem;
    const privateKeyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return readProjectKeys({ certificatePem, privateKeyPem }, this.trust());
  }

  /** An authority below the root; its role says what it may issue. */
  intermediate(subject: TestSubject): TestAuthority {
    const { privateKey, publicKey } = keyPair("ec");
    const chainPem = certificate({ subject, issuer: this.root, publicKey, isAuthority: true, hosts: [] });
    return { name: subject.name, privateKey, chainPem };
  }

  /** Trust of its own for a participant: nobody else's changes with it. */
  trust(): ProjectTrust {
    return ProjectTrust.from({ project: this.name, rootCaPem: this.rootCaPem });
  }

  /** A trust list that is signed by the root; it revokes nobody and changes no root unless it is told to. */
  trustList(change: Partial<TrustListDocument> & Pick<TrustListDocument, "number">): string {
    const signer = { certificate: new X509Certificate(this.rootCaPem), privateKey: this.root.privateKey };
    return signTrustList({ project: this.name, issued_at_ms: Date.now(), roots: [this.rootCaPem], revoked: [], ...change }, [signer]);
  }

  /** The root with its key, for what issues certificates. */
  get authority(): { readonly certificatePem: string; readonly privateKey: KeyObject } {
    return { certificatePem: this.rootCaPem, privateKey: this.root.privateKey };
  }

  server(name = "server-1"): ProjectKeys {
    return this.issue({ name, role: "server", usage: "server" });
  }
}

function keyPair(type: "ec" | "rsa"): { privateKey: KeyObject; publicKey: KeyObject } {
  if (type === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

interface CertificateInit {
  readonly subject: TestSubject;
  readonly issuer: TestAuthority;
  readonly publicKey: KeyObject;
  readonly isAuthority: boolean;
  readonly hosts: readonly string[];
}

// X.509 version 3 (RFC 5280) in DER, written by hand: Node can read certificates but not make them.
function certificate({ subject, issuer, publicKey, isAuthority, hosts }: CertificateInit): string {
  const hour = 3_600_000;
  const validity = sequence(
    time(subject.validFrom ?? new Date(Date.now() - hour)),
    time(subject.validTo ?? new Date(Date.now() + 24 * hour)),
  );
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    issuerName(issuer),
    validity,
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(...extensions(subject, isAuthority, hosts), ...keyIds(publicKey, issuer))),
  );
  const signature = sign("sha256", body, issuer.privateKey);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE-----\n${(der.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Which key is certified and which one signs: roots of one name are told apart by it. */
function keyIds(publicKey: KeyObject, issuer: TestAuthority): Buffer[] {
  const keyId = (key: KeyObject): Buffer =>
    createHash("sha1")
      .update(key.export({ type: "spki", format: "der" }))
      .digest();
  return [
    extension("2.5.29.14", false, tlv(0x04, keyId(publicKey))),
    extension("2.5.29.35", false, sequence(tlv(0x80, keyId(createPublicKey(issuer.privateKey))))),
  ];
}

/** An issuer's name has all that its own certificate's subject has. */
function issuerName({ name, chainPem }: TestAuthority): Buffer {
  if (chainPem === "") return nameOf({ name, role: "" });
  const { role } = readSubject(new X509Certificate(chainPem));
  return nameOf({ name, role });
}

function extensions({ usage }: TestSubject, isAuthority: boolean, hosts: readonly string[]): Buffer[] {
  const list = [extension("2.5.29.19", true, isAuthority ? sequence(boolean(true)) : sequence())];
  if (hosts.length > 0) list.push(extension("2.5.29.17", false, sequence(...hosts.map((host) => tlv(0x82, Buffer.from(host))))));
  if (usage !== undefined)
    list.push(extension("2.5.29.37", false, sequence(oid(usage === "server" ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2"))));
  return list;
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), tlv(0x04, value));
}

function nameOf({ name, org = "org_a", role = "client" }: TestSubject): Buffer {
  const fields: [string, string][] = [
    ["2.5.4.3", name],
    ["2.5.4.10", org],
  ];
  if (role !== "") fields.push(["1.2.840.113549.1.9.2", role]);
  return sequence(...fields.map(([id, value]) => tlv(0x31, sequence(oid(id), tlv(0x0c, Buffer.from(value))))));
}

function tlv(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  let header: number[];
  if (length < 128) header = [tag, length];
  else if (length < 256) header = [tag, 0x81, length];
  else header = [tag, 0x82, length >> 8, length & 255];
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
