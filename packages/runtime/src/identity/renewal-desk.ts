import { X509Certificate } from "node:crypto";
import { FlareError, limits, processRoles, type RenewableType, type RenewalIssuer } from "@flare-ts/contracts";
import { type CertificateRequest, issueFromRequest, readRequest } from "@flare-ts/provision/issue";
import { type ProjectTrust, readHosts, type SubjectFields } from "@flare-ts/provision/kit";
import { capPeerText as cap, quotePeerText as quote } from "../session/peer-text.js";
import { fingerprintOf } from "../session/project-keys.js";
import { renewalDifference } from "./check-renewed.js";
import type { GivenCertificates } from "./given-certificates.js";
import type { IssuingAuthority, IssuingIdentity } from "./issuing-authority.js";
import { type PendingRenewal, type PendingRenewals, renewalId } from "./pending-renewals.js";

/** A participant that has proven to own the key of a certificate, and wants the next one. */
export interface ProvenRenewal {
  /** The old certificate with its chain; PEM. */
  readonly chainPem: string;
  readonly certificate: X509Certificate;
  readonly subject: SubjectFields;
  /** PKCS #10, PEM; not verified yet. */
  readonly csrPem: string;
}

export interface RenewalDeskComponents {
  readonly trust: ProjectTrust;
  readonly authority: IssuingAuthority;
  readonly pending: PendingRenewals;
  readonly given: GivenCertificates;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface RenewalDeskInit {
  readonly renewal: RenewalIssuer;
  readonly leafLifetimeMs: number;
  readonly serverMayRenew: readonly RenewableType[];
}

/**
 * Gives out the certificates of renewals: issues them with the server's issuing certificate, or keeps the request for whoever
 * holds the project's key. A renewal changes the key and the dates of a certificate and nothing else.
 */
export class RenewalDesk {
  readonly #parts: RenewalDeskComponents;
  readonly #init: RenewalDeskInit;
  /** When certificates were given out, by name. */
  readonly #given = new Map<string, number[]>();

  constructor(components: RenewalDeskComponents, init: RenewalDeskInit) {
    this.#parts = components;
    this.#init = init;
  }

  /** Whether a participant should ask now: there is another root than the one that stands for its certificate. */
  shouldRenew(role: string, rootFingerprint: string): boolean {
    const issuer = this.#issuerFor(role);
    if (issuer !== undefined) return issuer.rootFingerprint !== rootFingerprint;
    if (this.#init.renewal === "none" || (this.#init.renewal === "server" && this.#init.serverMayRenew.includes(kindOf(role))))
      return false;
    const [newest] = [...this.#parts.trust.roots].sort((a, b) => Date.parse(b.validFrom) - Date.parse(a.validFrom));
    return newest !== undefined && fingerprintOf(newest) !== rootFingerprint;
  }

  /** Whether a certificate that was given out here was had for one, or for one before that, which its name's revocation covers. */
  isOfRevoked({ name, fingerprint }: { readonly name: string; readonly fingerprint: string }): boolean {
    const { given, trust } = this.#parts;
    const beganMs = given.beganMs(fingerprint);
    return beganMs !== undefined && trust.revoked.some((one) => one.name === name && beganMs <= one.revoked_at_ms);
  }

  /**
   * The new certificate with its chain, or `undefined` while the request waits to be signed.
   *
   * @throws FlareError `auth/renewal-not-offered`, `auth/renewal-refused`, `auth/renewal-too-often`, `auth/renewal-impossible`
   */
  async renew(proven: ProvenRenewal): Promise<string | undefined> {
    const { renewal } = this.#init;
    const { commonName: name, role } = proven.subject;
    if (renewal === "none") {
      throw new FlareError("auth/renewal-not-offered", "The project does not renew certificates over the wire.", {
        facts: { name: cap(name) },
      });
    }
    this.#checkRequest(proven);
    if (renewal === "server" && this.#init.serverMayRenew.includes(kindOf(role))) return this.#issue(proven);
    return this.#await(proven);
  }

  /**
   * Takes the certificate that somebody signed for a request that waits.
   *
   * @throws FlareError `auth/renewal-refused`
   */
  async complete(id: string, certificatePem: string): Promise<PendingRenewal> {
    const { pending, trust, now } = this.#parts;
    const renewal = pending.get(id);
    if (renewal?.kind !== "participant" || renewal.isDeclined === true) throw refused(id, "there is no such request");
    const verdict = trust.verify(certificatePem, { nowMs: now() });
    if (!verdict.ok) throw refused(renewal.name, verdict.message);
    const old = trust.verify(renewal.certificatePem, { nowMs: now(), allowExpiredMs: Number.MAX_SAFE_INTEGER });
    if (!old.ok) throw refused(renewal.name, old.message);
    const difference = renewalDifference(old.certificate, verdict.certificate);
    if (difference !== undefined) throw refused(renewal.name, difference);
    const { publicKey } = readRequest(renewal.csrPem);
    if (!publicKey.equals(verdict.certificate.publicKey)) throw refused(renewal.name, "it is for another key than the one requested");
    await pending.put({ ...renewal, completedPem: certificatePem });
    return renewal;
  }

  /**
   * Declines a request that waits: it is refused from now on, and its participant makes another, for another key.
   *
   * @throws FlareError `auth/renewal-refused` when no such request waits
   */
  async decline(id: string): Promise<PendingRenewal> {
    const { pending } = this.#parts;
    const renewal = pending.waiting().find((one) => one.id === id);
    if (renewal === undefined) throw refused(id, "no such request waits");
    if (renewal.kind === "issuer") throw refused(renewal.name, "the request for the server's issuing certificate waits until it is signed");
    await pending.put({ ...renewal, isDeclined: true });
    return renewal;
  }

  #issuerFor(role: string): IssuingIdentity | undefined {
    const { renewal, serverMayRenew } = this.#init;
    const kind = kindOf(role);
    if (renewal !== "server" || !serverMayRenew.includes(kind)) return undefined;
    const issuer = this.#parts.authority.current;
    return issuer?.mayIssue.includes(kind) === true ? issuer : undefined;
  }

  #checkRequest({ certificate, subject, csrPem }: ProvenRenewal): void {
    let request: CertificateRequest;
    try {
      request = readRequest(csrPem);
    } catch (reason) {
      throw refused(subject.commonName, FlareError.from(reason).message);
    }
    for (const field of ["commonName", "org", "role"] as const) {
      if (request.subject[field] !== subject[field])
        throw refused(subject.commonName, `it is for the ${field} ${quote(request.subject[field])}`);
    }
    if (request.publicKey.equals(certificate.publicKey)) throw refused(subject.commonName, "it is for the old key");
  }

  async #issue({ certificate, subject, csrPem }: ProvenRenewal): Promise<string> {
    const { now, trust, given } = this.#parts;
    const { commonName: name, role } = subject;
    const issuer = this.#issuerFor(role);
    if (issuer === undefined) throw impossible(name, "the server has no issuing certificate that is good for it");
    const nowMs = now();
    this.#count(name, nowMs);
    const { leafLifetimeMs } = this.#init;
    const endMs = Math.min(nowMs + leafLifetimeMs, issuer.endsMs);
    // Clocks differ. Never before the old certificate's beginning: a revocation covers all that began before it.
    const fromMs = Math.max(nowMs - Math.min(leafLifetimeMs / 10, mostSkewMs), Date.parse(certificate.validFrom));
    const chain = await issueFromRequest({
      csrPem,
      issuer: { certificatePem: issuer.certificatePem, privateKey: issuer.privateKey },
      subject,
      hosts: readHosts(certificate),
      validity: { from: new Date(fromMs), to: new Date(endMs) },
      purpose: role === "server" || role === "relay" ? role : "client",
    });
    const beganMs = given.beganMs(fingerprintOf(certificate)) ?? Date.parse(certificate.validFrom);
    const fingerprint = fingerprintOf(new X509Certificate(chain));
    await given.add({ fingerprint, beganMs, endsMs: endMs }, nowMs);
    // What nobody would accept is not given out; a revocation may have come by now.
    if (this.isOfRevoked({ name, fingerprint })) throw impossible(name, "it was revoked");
    const verdict = trust.verify(chain, { nowMs });
    if (!verdict.ok) throw impossible(name, verdict.message);
    return chain;
  }

  async #await({ chainPem, subject, csrPem }: ProvenRenewal): Promise<string | undefined> {
    const { pending, now } = this.#parts;
    const { commonName: name, org, role } = subject;
    const id = renewalId(csrPem);
    const known = pending.of("participant", name);
    if (known?.id === id) {
      if (known.isDeclined === true) throw refused(name, "the project's administrator declined it");
      return known.completedPem;
    }
    this.#count(name, now());
    await pending.put({ id, kind: "participant", name, org, role, csrPem, certificatePem: chainPem, requestedAtMs: now() });
    return undefined;
  }

  #count(name: string, nowMs: number): void {
    const { leafLifetimeMs } = this.#init;
    const recent = (this.#given.get(name) ?? []).filter((atMs) => nowMs - atMs < leafLifetimeMs);
    if (recent.length >= limits.renewalsPerLife) {
      throw new FlareError("auth/renewal-too-often", `${quote(name)} has had ${recent.length} certificates within the life of one.`, {
        facts: { name: cap(name), given: recent.length },
      });
    }
    this.#given.set(name, [...recent, nowMs]);
  }
}

/** Clocks of participants may be so much behind. */
const mostSkewMs = 300_000;

/** Kind of participant that a role stands for. */
function kindOf(role: string): RenewableType {
  return processRoles.find((known) => known === role) ?? "admin";
}

function refused(name: string, why: string): FlareError {
  return new FlareError("auth/renewal-refused", `A renewal for ${quote(name)} is refused: ${why}.`, {
    facts: { name: cap(name), why: cap(why) },
  });
}

function impossible(name: string, why: string): FlareError {
  return new FlareError("auth/renewal-impossible", `The certificate of ${quote(name)} cannot be renewed: ${why}.`, {
    facts: { name: cap(name), why: cap(why) },
  });
}
