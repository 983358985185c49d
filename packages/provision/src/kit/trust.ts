import type { X509Certificate } from "node:crypto";
import { FlareError, type Revocation } from "@flare-ts/contracts";
import { fingerprintOf } from "./fingerprint-of.js";
import { readRoots } from "./read-roots.js";
import { Revocations } from "./revocations.js";
import { openTrustList } from "./trust-list.js";
import { type ChainVerdict, findAuthorities, findAuthority, verifyChain } from "./verify-chain.js";

export interface ProjectTrustInit {
  readonly project: string;
  /** `rootCA.pem`: one root or several. */
  readonly rootCaPem: string;
  /** Trust list to begin with; signed by one of these roots. */
  readonly trustListText?: string | undefined;
}

export interface VerifyOptions {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** How long ago the certificate, or one between it and the root, may have expired. @default 0 */
  readonly allowExpiredMs?: number | undefined;
}

/**
 * Whom a project trusts now: its roots, less what its trust list revokes. Whoever holds it sees a new list at once; each
 * verification goes by one list from beginning to end.
 */
export class ProjectTrust {
  readonly project: string;
  #inForce: InForce;

  private constructor(project: string, roots: readonly X509Certificate[]) {
    this.project = project;
    this.#inForce = { roots, rootBundlePem: bundleOf(roots), number: 0, revoked: [], revocations: new Revocations([]) };
  }

  /**
   * Begins with the roots of a kit.
   *
   * @throws FlareError `trust/root-invalid`, and for the list what `accept` throws
   */
  static from({ project, rootCaPem, trustListText }: ProjectTrustInit): ProjectTrust {
    const verdict = readRoots(rootCaPem);
    if ("problem" in verdict) {
      throw new FlareError("trust/root-invalid", `The root certificates cannot be used: ${verdict.problem}.`, {
        facts: { problem: verdict.problem },
      });
    }
    const trust = new ProjectTrust(project, verdict.roots);
    if (trustListText !== undefined) trust.accept(trustListText);
    return trust;
  }

  /** Every root that is trusted. */
  get roots(): readonly X509Certificate[] {
    return this.#inForce.roots;
  }

  /** The same, as a file of certificates for TLS. */
  get rootBundlePem(): string {
    return this.#inForce.rootBundlePem;
  }

  /** Number of the trust list in force; 0 when there is none yet. */
  get number(): number {
    return this.#inForce.number;
  }

  /** The trust list in force, as it was signed. */
  get trustListText(): string | undefined {
    return this.#inForce.list?.text;
  }

  /** Everybody whom the list in force revokes. */
  get revoked(): readonly Revocation[] {
    return this.#inForce.revoked;
  }

  /**
   * Verifies a participant's certificate: the participant's first, then those that stand between it and a root. Never throws for
   * what a peer sent.
   */
  verify(chainPem: string, { nowMs, allowExpiredMs }: VerifyOptions): ChainVerdict {
    const { roots, revocations } = this.#inForce;
    return verifyChain({ chainPem, project: this.project, roots, revocations, nowMs, allowExpiredMs });
  }

  /** Whether the list in force revokes this certificate, whatever else is to be said of it. */
  isRevoked(certificate: X509Certificate): boolean {
    return this.#inForce.revocations.find(certificate) !== undefined;
  }

  /** The authorities of a chain, roots left out, that speak for the project as a root does; empty for a chain that is not good. */
  authoritiesOf(chainPem: string): readonly X509Certificate[] {
    const { roots, revocations } = this.#inForce;
    return findAuthorities({ chainPem, project: this.project, roots, revocations });
  }

  /**
   * Puts a trust list into force: one of this project, newer than the one in force, and signed by a root that is trusted so far.
   * A list that is refused changes nothing; the one in force is `known`.
   *
   * @throws FlareError `trust/list-invalid`, `trust/signature-invalid`, `trust/wrong-project`, `trust/outdated`
   */
  accept(trustListText: string): "accepted" | "known" {
    const { number, list } = this.#inForce;
    // The list in force may be signed only by roots that it replaced.
    if (list?.text === trustListText) return "known";
    const { document, bytes } = openTrustList(trustListText, (fingerprint, chainPem) => this.#findSigner(fingerprint, chainPem));
    if (document.project !== this.project) {
      throw new FlareError("trust/wrong-project", `The trust list is that of project '${document.project}', not '${this.project}'.`, {
        facts: { project: this.project, listProject: document.project },
      });
    }
    if (list?.bytes.equals(bytes) === true) return "known";
    if (document.number <= number) {
      throw new FlareError("trust/outdated", `Trust list ${document.number} is not newer than ${number}, which is in force.`, {
        facts: { number: document.number, inForce: number },
      });
    }
    const verdict = readRoots(document.roots.join("\n"));
    if ("problem" in verdict || verdict.roots.length !== document.roots.length) {
      const why = "problem" in verdict ? verdict.problem : "an entry of its roots is not one certificate";
      throw new FlareError("trust/list-invalid", `Trust list ${document.number} cannot be used: ${why}.`, { facts: { why } });
    }
    this.#inForce = {
      roots: verdict.roots,
      rootBundlePem: bundleOf(verdict.roots),
      number: document.number,
      revoked: document.revoked,
      revocations: new Revocations(document.revoked),
      list: { text: trustListText, bytes },
    };
    return "accepted";
  }

  #findSigner(fingerprint: string, chainPem: string | undefined): X509Certificate | undefined {
    const { roots, revocations } = this.#inForce;
    const root = roots.find((candidate) => fingerprintOf(candidate) === fingerprint);
    if (root !== undefined || chainPem === undefined) return root;
    const authority = findAuthority({ chainPem, project: this.project, roots, revocations });
    return authority !== undefined && fingerprintOf(authority) === fingerprint ? authority : undefined;
  }
}

interface InForce {
  readonly roots: readonly X509Certificate[];
  readonly rootBundlePem: string;
  readonly number: number;
  readonly revoked: readonly Revocation[];
  readonly revocations: Revocations;
  readonly list?: { readonly text: string; readonly bytes: Buffer };
}

function bundleOf(roots: readonly X509Certificate[]): string {
  return roots.map((root) => root.toString()).join("");
}
