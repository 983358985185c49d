import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { issuableBy, type ProjectTrust, readCertificates, readSubject } from "@flare-ts/provision/kit";
import { fingerprintOf } from "../session/project-keys.js";
import type { IdentityFolder, IdentityRequest, StoredIdentity } from "./identity-folder.js";
import { renewalTimes } from "./renewal-times.js";

/** The certificate with which a server issues others, with its key. */
export interface IssuingIdentity {
  /** With the certificates between it and the root; PEM. */
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  /** Roles that it may give: `client`, `server`, `relay`, `admin` for every role of admins. */
  readonly mayIssue: readonly string[];
  /** SHA-256 of the root that stands for it. */
  readonly rootFingerprint: string;
  /** When the first of its chain ends; milliseconds since the epoch. */
  readonly endsMs: number;
}

export interface IssuingAuthorityComponents {
  readonly trust: ProjectTrust;
  /** Keeps the issuing certificates that came after the kit. */
  readonly folder: IdentityFolder;
  readonly now: () => number;
}

/** What the server issues with: the newest issuing certificate that the project's trust stands for. */
export class IssuingAuthority {
  readonly #parts: IssuingAuthorityComponents;
  #candidates: readonly StoredIdentity[];

  private constructor(components: IssuingAuthorityComponents, candidates: readonly StoredIdentity[]) {
    this.#parts = components;
    this.#candidates = candidates;
  }

  /** @param init.fromKit the issuing certificate of the kit, if it has one */
  static async open(
    components: IssuingAuthorityComponents,
    init: { readonly fromKit: StoredIdentity | undefined },
  ): Promise<IssuingAuthority> {
    const { identities } = await components.folder.read();
    return new IssuingAuthority(components, [...identities, ...(init.fromKit === undefined ? [] : [init.fromKit])]);
  }

  /** The one to issue with now; `undefined` when there is none that anybody would trust. */
  get current(): IssuingIdentity | undefined {
    const nowMs = this.#parts.now();
    return this.#candidates
      .flatMap((candidate) => this.#read(candidate) ?? [])
      .filter(({ certificate, endsMs }) => nowMs >= Date.parse(certificate.validFrom) && nowMs < endsMs)
      .sort((a, b) => Date.parse(b.certificate.validFrom) - Date.parse(a.certificate.validFrom))[0];
  }

  /** Whether a next one is wanted: little is left of the one in force, or the project has a newer root than its. */
  get isDue(): boolean {
    const { trust, now } = this.#parts;
    const { current } = this;
    if (current === undefined) return true;
    if (now() >= renewalTimes(current.certificate, 0.5).dueMs) return true;
    const own = trust.roots.find((root) => fingerprintOf(root) === current.rootFingerprint);
    return own !== undefined && trust.roots.some((root) => Date.parse(root.validFrom) > Date.parse(own.validFrom));
  }

  /** The request for the next one, which is kept until its certificate comes. */
  async request(make: () => Promise<IdentityRequest>): Promise<IdentityRequest> {
    return this.#parts.folder.pending(make);
  }

  /**
   * Issues with this certificate from now on; it must be for the key that was requested.
   *
   * @throws FlareError `auth/renewal-refused` when nobody would trust what is issued with it
   */
  async adopt(certificatePem: string, request: IdentityRequest): Promise<void> {
    const candidate = { certificatePem, privateKeyPem: request.privateKeyPem };
    if (this.#read(candidate) === undefined) {
      throw new FlareError(
        "auth/renewal-refused",
        "The certificate is not one to issue with: for another key, or by no root of this project.",
        {
          facts: {},
        },
      );
    }
    await this.#parts.folder.adopt(certificatePem, request);
    this.#candidates = [candidate, ...this.#candidates];
  }

  #read({ certificatePem, privateKeyPem }: StoredIdentity): IssuingIdentity | undefined {
    try {
      const privateKey = createPrivateKey(privateKeyPem);
      const chain = readCertificates(certificatePem);
      const [certificate] = chain;
      // A newer one that was revoked must not stand before an older one that is good.
      if (chain.some((one) => this.#parts.trust.isRevoked(one))) return undefined;
      const root = this.#rootOf(chain);
      const { role } = certificate === undefined ? { role: "" } : readSubject(certificate);
      const mayIssue = issuableBy(role);
      if (certificate === undefined || root === undefined || mayIssue === undefined) return undefined;
      if (!certificate.checkPrivateKey(privateKey)) return undefined;
      return {
        certificatePem,
        certificate,
        privateKey,
        mayIssue,
        rootFingerprint: fingerprintOf(root),
        endsMs: Math.min(...[...chain, root].map(({ validTo }) => Date.parse(validTo))),
      };
    } catch {
      return undefined;
    }
  }

  #rootOf(chain: readonly X509Certificate[]): X509Certificate | undefined {
    const { roots } = this.#parts.trust;
    for (const [at, certificate] of chain.entries()) {
      if (!certificate.ca) return undefined;
      const root = roots.find((candidate) => isIssuedBy(certificate, candidate));
      if (root !== undefined) return root;
      const next = chain[at + 1];
      if (next === undefined || !isIssuedBy(certificate, next)) return undefined;
    }
    return undefined;
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
