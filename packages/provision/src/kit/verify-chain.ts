import type { X509Certificate } from "node:crypto";
import { type Json, limits, processRoles, type Revocation } from "@flare-ts/contracts";
import { readSubject, type SubjectFields } from "../pki/read-certificate.js";
import { type CertificateDetails, readCertificateDetails } from "./certificate-details.js";
import { fingerprintOf } from "./fingerprint-of.js";
import { issuableBy } from "./issuer-role.js";
import { keyWeakness } from "./key-weakness.js";
import { readCertificates } from "./read-certificates.js";
import type { Revocations } from "./revocations.js";

/** Why a certificate is not accepted. */
export type ChainFault =
  | "unreadable"
  | "untrusted"
  | "wrong-project"
  | "weak-key"
  | "is-authority"
  | "issuer-not-allowed"
  | "revoked"
  | "expired"
  | "not-yet-valid";

/** A participant's certificate that a root of the project stands for. */
export interface TrustedChain {
  readonly ok: true;
  readonly certificate: X509Certificate;
  readonly subject: SubjectFields;
  /** The authority that issued the certificate itself. */
  readonly issuedBy: X509Certificate;
  readonly root: X509Certificate;
}

/** A certificate that is not accepted, and why. */
export interface RefusedChain {
  readonly ok: false;
  readonly why: ChainFault;
  /** The certificate that is at fault: the participant's, an authority's in between, or the root. */
  readonly which: "leaf" | "intermediate" | "root";
  /** A sentence for people; names in it are quoted and capped. */
  readonly message: string;
  readonly facts: { readonly [key: string]: Json };
}

export type ChainVerdict = TrustedChain | RefusedChain;

export interface VerifyChainInit {
  /** The participant's certificate first, then those that stand between it and a root; PEM. */
  readonly chainPem: string;
  readonly project: string;
  readonly roots: readonly X509Certificate[];
  readonly revocations: Revocations;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** How long ago the certificate, or one in between, may have expired. @default 0 */
  readonly allowExpiredMs?: number | undefined;
}

/**
 * Verifies a chain of certificates from the root down: a certificate's key is looked at only when the signature on it was found
 * right, as some versions of Node crash on keys that cannot be decoded. Never throws for what a peer sent.
 */
export function verifyChain(init: VerifyChainInit): ChainVerdict {
  let chain: X509Certificate[];
  try {
    chain = readCertificates(init.chainPem);
  } catch (error) {
    return { ok: false, why: "unreadable", which: "leaf", message: "The certificate cannot be read.", facts: { cause: String(error) } };
  }
  const [leaf] = chain;
  if (leaf === undefined) return { ok: false, why: "unreadable", which: "leaf", message: "The certificate cannot be read.", facts: {} };
  try {
    return verify(init, leaf, chain);
  } catch (error) {
    const message = `The certificate of ${quote(readSubject(leaf).commonName)} cannot be read.`;
    return { ok: false, why: "unreadable", which: "leaf", message, facts: { cause: cap(String(error)) } };
  }
}

/**
 * The authorities of a participant's chain, roots left out, that speak for the project as a root does: those that may issue for
 * every role. Empty for a chain that is not good. Dates are not looked at.
 */
export function findAuthorities(init: Omit<VerifyChainInit, "nowMs" | "allowExpiredMs">): readonly X509Certificate[] {
  try {
    const [, ...intermediates] = readCertificates(init.chainPem);
    return intermediates.flatMap((_, at) => {
      const chainPem = intermediates.slice(at).map(String).join("");
      return findAuthority({ ...init, chainPem }) ?? [];
    });
  } catch {
    return [];
  }
}

/**
 * The authority at the beginning of a chain, if it speaks for the project: a root, or an intermediate below one that may issue for
 * every role. Dates are not looked at. Never throws for what a peer sent.
 */
export function findAuthority(init: Omit<VerifyChainInit, "nowMs" | "allowExpiredMs">): X509Certificate | undefined {
  try {
    const path = findPath(readCertificates(init.chainPem), { ...init, nowMs: 0 }, "intermediate");
    if ("why" in path) return undefined;
    const { links, authorities } = path;
    const [first] = links;
    if (first === undefined || readSubject(first.certificate).role !== "") return undefined;
    if (links.some(({ certificate }) => init.revocations.find(certificate) !== undefined)) return undefined;
    return isOfProject([first.certificate, ...authorities], init.project) ? first.certificate : undefined;
  } catch {
    return undefined;
  }
}

interface Link {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
  readonly which: "leaf" | "intermediate";
  /** Authorities between this certificate and the participant's. */
  readonly below: number;
}

interface Path {
  readonly links: readonly Link[];
  readonly root: X509Certificate;
  /** Those that stand for the first certificate, the nearest first, the root last. */
  readonly authorities: readonly [X509Certificate, ...X509Certificate[]];
}

function verify(init: VerifyChainInit, leaf: X509Certificate, chain: readonly X509Certificate[]): ChainVerdict {
  const path = findPath(chain, init, "leaf");
  if ("why" in path) return path;
  const { links, root, authorities } = path;
  if (!isOfProject(authorities, init.project))
    return refuse("wrong-project", "root", root, `is not that of project ${quote(init.project)}`);
  const [issuedBy] = authorities;
  if (issuedBy !== root && !mayIssue(issuedBy, readSubject(leaf).role)) {
    const { commonName, role } = readSubject(issuedBy);
    const what = `is for the role ${quote(readSubject(leaf).role)}, which its issuer ${quote(commonName)} (${quote(role)}) may not give`;
    return refuse("issuer-not-allowed", "leaf", leaf, what);
  }
  for (const { certificate, which } of links) {
    const revocation = init.revocations.find(certificate);
    if (revocation !== undefined) return revoked(certificate, which, revocation);
  }
  const dated = [...links.map(({ certificate, which }) => ({ certificate, which })), { certificate: root, which: "root" as const }];
  for (const { certificate, which } of dated.toReversed()) {
    const fault = checkDates(certificate, which, init.nowMs, which === "root" ? 0 : (init.allowExpiredMs ?? 0));
    if (fault !== undefined) return fault;
  }
  return { ok: true, certificate: leaf, subject: readSubject(leaf), issuedBy, root };
}

/** Finds the way from a root to the first certificate of a chain, each signature and each authority on it checked. */
function findPath(
  chain: readonly X509Certificate[],
  init: Pick<VerifyChainInit, "roots" | "nowMs">,
  first: Link["which"],
): Path | RefusedChain {
  const isRoot = (certificate: X509Certificate): boolean => init.roots.some((root) => root.raw.equals(certificate.raw));
  // Some programs send the root along.
  const sent = chain.length > 1 && chain.slice(-1).every(isRoot) ? chain.slice(0, -1) : chain;
  const [last] = sent.slice(-1);
  if (last === undefined) throw new RangeError("the chain is empty");
  const root = findRoot(last, init);
  if (root === undefined) return refuse("untrusted", first, last, `was issued by ${quote(issuerName(last))}, not by this project's root`);
  const links = sent.map((certificate, at): Link => {
    const which = at === 0 ? first : "intermediate";
    return { certificate, issuer: sent[at + 1] ?? root, which, below: first === "leaf" ? Math.max(at - 1, 0) : at };
  });
  for (const link of links.toReversed()) {
    const fault = checkSignature(link) ?? checkAuthority(link);
    if (fault !== undefined) return fault;
  }
  const [, ...intermediates] = sent;
  const [nearest, ...others] = [...intermediates, root];
  return { links, root, authorities: [nearest, ...others] };
}

/** One root may stand for several projects: then an authority below it carries the project's name. */
function isOfProject(authorities: readonly X509Certificate[], project: string): boolean {
  return authorities.some((authority) => readSubject(authority).commonName === project);
}

/** The root that signed a certificate; of several with that key one that is good now. */
function findRoot(certificate: X509Certificate, { roots, nowMs }: Pick<VerifyChainInit, "roots" | "nowMs">): X509Certificate | undefined {
  const found = roots.filter((root) => certificate.checkIssued(root) && certificate.verify(root.publicKey));
  return found.find((root) => nowMs >= root.validFromDate.getTime() && nowMs <= root.validToDate.getTime()) ?? found[0];
}

function checkSignature({ certificate, issuer, which }: Link): RefusedChain | undefined {
  if (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)) return undefined;
  return refuse("untrusted", which, certificate, `was not issued by ${quote(readSubject(issuer).commonName)}, which follows it`);
}

/** What follows once the signature on a certificate was found right. */
function checkAuthority({ certificate, which, below }: Link): RefusedChain | undefined {
  const details = readCertificateDetails(certificate.raw);
  if (details === undefined) return refuse("unreadable", which, certificate, "cannot be read");
  const unknown = firstUnknown(details);
  if (unknown !== undefined)
    return refuse("untrusted", which, certificate, `has the critical extension ${unknown}, which is not known here`);
  const weakness = keyWeakness(certificate, details);
  if (weakness !== undefined) return refuse("weak-key", which, certificate, `is too weak: ${weakness}`);
  if (which === "leaf") return certificate.ca ? refuse("is-authority", which, certificate, "is one that issues certificates") : undefined;
  if (!certificate.ca) return refuse("untrusted", which, certificate, "is not one that issues certificates, but issued another");
  if (below > pathLengthOf(certificate, details))
    return refuse("untrusted", which, certificate, "does not allow another authority below it");
  return undefined;
}

/** Object identifier of the first critical extension of a certificate that is not known here, and for which it is refused. */
export function unknownExtensionOf(certificate: X509Certificate): string | undefined {
  const details = readCertificateDetails(certificate.raw);
  return details === undefined ? undefined : firstUnknown(details);
}

function firstUnknown({ criticalExtensions }: CertificateDetails): string | undefined {
  return criticalExtensions.find((id) => !knownExtensions.has(id));
}

/** An authority that may issue certain roles stands for nobody else's intermediate, whatever its certificate says. */
function pathLengthOf(certificate: X509Certificate, { pathLength }: CertificateDetails): number {
  const isLimited = readSubject(certificate).role !== "";
  return isLimited ? 0 : (pathLength ?? Number.POSITIVE_INFINITY);
}

/** An intermediate with a role issues what `issuer:<role>,<role>` names; `admin` stands for every role of admins. */
function mayIssue(issuer: X509Certificate, role: string): boolean {
  const { role: allowed } = readSubject(issuer);
  if (allowed === "") return true;
  const kind = processRoles.find((known) => known === role) ?? "admin";
  return issuableBy(allowed)?.includes(kind) === true;
}

function checkDates(
  certificate: X509Certificate,
  which: RefusedChain["which"],
  nowMs: number,
  allowExpiredMs: number,
): RefusedChain | undefined {
  const { validFrom, validTo, validFromDate, validToDate } = certificate;
  // A date that cannot be read compares as false, and so is not good.
  if (!(nowMs >= validFromDate.getTime()))
    return refuse("not-yet-valid", which, certificate, `is valid from ${validFrom} only; ${hereText(nowMs)}`);
  if (!(nowMs <= validToDate.getTime() + allowExpiredMs))
    return refuse("expired", which, certificate, `expired on ${validTo}; ${hereText(nowMs)}`);
  return undefined;
}

/** Most often it is a clock that is wrong. */
function hereText(nowMs: number): string {
  return `by this machine's clock it is ${new Date(nowMs).toUTCString()}`;
}

function revoked(certificate: X509Certificate, which: RefusedChain["which"], { revoked_at_ms, reason }: Revocation): RefusedChain {
  const at = new Date(revoked_at_ms).toUTCString();
  const { facts, ...refusal } = refuse("revoked", which, certificate, `was revoked on ${at}: ${reason}`);
  return { ...refusal, facts: { ...facts, revokedAtMs: revoked_at_ms, reason } };
}

function refuse(why: ChainFault, which: RefusedChain["which"], certificate: X509Certificate, what: string): RefusedChain {
  const { commonName: name } = readSubject(certificate);
  const { serialNumber, validFrom, validTo } = certificate;
  return {
    ok: false,
    why,
    which,
    message: `The ${nouns[which]} of ${quote(name)} ${what}.`,
    facts: {
      name: cap(name),
      issuer: cap(issuerName(certificate)),
      serial: serialNumber.toLowerCase(),
      fingerprint: fingerprintOf(certificate),
      validFrom,
      validTo,
    },
  };
}

const nouns = { leaf: "certificate", intermediate: "intermediate certificate", root: "root certificate" } as const;
/** Key usage, names, constraints of authorities, policies, extended key usage: OpenSSL, this file or its callers go by them. */
const knownExtensions = new Set(["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.32", "2.5.29.37"]);

function issuerName(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.issuer)?.[1] ?? "";
}

function cap(text: string): string {
  return text.slice(0, limits.peerTextChars);
}

function quote(text: string): string {
  return JSON.stringify(cap(text));
}
