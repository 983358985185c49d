import { type ContentHash, FlareError } from "@flare-ts/contracts";
import type { Identity } from "../session/identity.js";
import type { ObjectRef } from "../store/model-store.js";
import type { Possession } from "../transfer/possession.js";
import type { TransferGuard } from "../transport/connection.js";

/**
 * Which participant may read which object: what the server has named to it in a message, and nothing else. Who may write
 * is decided by `mayUpload`. An admin has what it may read or has sent since the server started; a site is asked for its updates only.
 */
export class ObjectGrants implements TransferGuard, Possession {
  readonly #readable = new Map<string, Map<ContentHash, Set<string>>>();
  /** Names of admins that have sent an object. */
  readonly #senders = new Map<ContentHash, Set<string>>();
  readonly #mayUpload: (identity: Identity) => Promise<boolean>;
  readonly #onRefused: ((identity: Identity, error: FlareError) => void) | undefined;

  constructor(components: {
    readonly mayUpload: (identity: Identity) => Promise<boolean>;
    /** Hears of admins who began to send a job and may not. */
    readonly onRefused?: (identity: Identity, error: FlareError) => void;
  }) {
    this.#mayUpload = components.mayUpload;
    this.#onRefused = components.onRefused;
  }

  /** Lets a participant read objects, for the sake of a job. */
  grant(name: string, jobId: string, hashes: Iterable<ContentHash>): void {
    const own = this.#readable.get(name) ?? new Map<ContentHash, Set<string>>();
    this.#readable.set(name, own);
    for (const hash of hashes) {
      const reasons = own.get(hash) ?? new Set();
      reasons.add(jobId);
      own.set(hash, reasons);
    }
  }

  /** Takes back what was granted for the sake of a job. */
  revokeJob(jobId: string): void {
    for (const own of this.#readable.values()) withdraw(own, jobId);
  }

  /** Takes back what was granted to one participant for the sake of a job. */
  revokeFor(name: string, jobId: string): void {
    const own = this.#readable.get(name);
    if (own !== undefined) withdraw(own, jobId);
  }

  /** Takes an object back from everybody, as it is no longer kept. */
  revokeObject(hash: ContentHash): void {
    for (const own of this.#readable.values()) own.delete(hash);
    this.#senders.delete(hash);
  }

  has({ name, kind }: Pick<Identity, "name" | "kind">, hash: ContentHash): boolean {
    return kind === "client" || this.#senders.get(hash)?.has(name) === true || this.#readable.get(name)?.has(hash) === true;
  }

  note({ name, kind }: Pick<Identity, "name" | "kind">, hash: ContentHash): void {
    if (kind === "client") return;
    this.#senders.set(hash, (this.#senders.get(hash) ?? new Set<string>()).add(name));
  }

  mayRead(identity: Identity, hash: ContentHash): Promise<boolean> {
    return Promise.resolve(this.#readable.get(identity.name)?.has(hash) ?? false);
  }

  /**
   * An admin who may submit no job is told that, and not only that an object is none of theirs.
   *
   * @throws FlareError `auth/not-authorized`
   */
  async mayWrite(identity: Identity, { hash }: ObjectRef): Promise<boolean> {
    if (await this.#mayUpload(identity)) return true;
    const { kind, name, org, role } = identity;
    if (kind !== "admin" || (await this.mayRead(identity, hash))) return false;
    const right = "submit_job";
    const error = new FlareError("auth/not-authorized", `${name} (${role} of ${org}) may not ${right} here.`, {
      facts: { who: name, role, right },
    });
    this.#onRefused?.(identity, error);
    throw error;
  }
}

function withdraw(own: Map<ContentHash, Set<string>>, jobId: string): void {
  for (const [hash, reasons] of own) {
    reasons.delete(jobId);
    if (reasons.size === 0) own.delete(hash);
  }
}
