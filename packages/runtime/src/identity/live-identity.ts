import type { X509Certificate } from "node:crypto";
import { fingerprintOf, type ProjectKeys } from "../session/project-keys.js";

/**
 * A participant's certificate and key, which change while its process runs. Whoever reads them gets those in force; whoever
 * needs two that fit together reads them without an `await` in between.
 */
export class LiveIdentity implements ProjectKeys {
  #current: ProjectKeys;
  /** Keys of before, for connections that were made under their certificates. */
  #former: ProjectKeys[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(components: { readonly keys: ProjectKeys }) {
    this.#current = components.keys;
  }

  get certificatePem(): string {
    return this.#current.certificatePem;
  }

  get privateKeyPem(): string {
    return this.#current.privateKeyPem;
  }

  get certificate(): ProjectKeys["certificate"] {
    return this.#current.certificate;
  }

  get privateKey(): ProjectKeys["privateKey"] {
    return this.#current.privateKey;
  }

  get trust(): ProjectKeys["trust"] {
    return this.#current.trust;
  }

  /** The keys in force now, which stay as they are. */
  get current(): ProjectKeys {
    return this.#current;
  }

  /** From now on the participant is known by these keys. */
  replace(keys: ProjectKeys): void {
    this.#former = [this.#current, ...this.#former].slice(0, rememberedKeys);
    this.#current = keys;
    for (const listener of Array.from(this.#listeners)) listener();
  }

  /** Calls back after each replacement, until the returned function is called. */
  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * The keys for handshakes with whoever connects next: those in force; while two roots are trusted side by side, those of before
   * that the older root stands for, as somebody who was away may not know the newer one yet.
   */
  forHandshakes(nowMs: number): ProjectKeys {
    const rootOf = ({ certificatePem, trust }: ProjectKeys): X509Certificate | undefined => {
      const verdict = trust.verify(certificatePem, { nowMs });
      return verdict.ok ? verdict.root : undefined;
    };
    const root = rootOf(this.#current);
    const older = this.#former.find((keys) => {
      const other = rootOf(keys);
      return root !== undefined && other !== undefined && Date.parse(other.validFrom) < Date.parse(root.validFrom);
    });
    return older ?? this.#current;
  }

  /** The keys of a certificate that is or was this participant's, while that certificate is good. */
  keysShown(fingerprint: string | undefined, nowMs: number): ProjectKeys | undefined {
    if (fingerprint === undefined) return undefined;
    const known = [this.#current, ...this.#former].find(({ certificate }) => fingerprintOf(certificate) === fingerprint);
    return known !== undefined && nowMs < Date.parse(known.certificate.validTo) ? known : undefined;
  }
}

/** A renewal happens at two thirds of a life: one certificate of before is good still, a rollover may add another. */
const rememberedKeys = 4;
