import type { Insertable } from "kysely";
import type { Database } from "../db/tables.js";
import { createId, type RandomBytes } from "../secrets/tokens.js";
import type { AuditTable } from "./audit-tables.js";

/** Plain facts of an audit entry; never secrets. */
export type AuditFacts = Readonly<Record<string, string | number | boolean | null>>;

/** Who did something: a person, the dashboard itself, or somebody who is not signed in. */
export interface AuditActor {
  readonly email: string;
  readonly personId: string | null;
  readonly address: string;
}

/** What is written down. */
export interface AuditRecord {
  readonly actor: AuditActor;
  /** Such as `people.approve`. */
  readonly action: string;
  /** What it was done to: an address, a site's name, a job's id. */
  readonly subject: string;
  /** @default "done" */
  readonly outcome?: "done" | "refused";
  readonly facts?: AuditFacts;
}

/** The dashboard itself, as actor. */
export const systemActor: AuditActor = { email: "system", personId: null, address: "" };

/** Somebody at a command of the dashboard's machine, as actor. */
export const operatorActor: AuditActor = { email: "operator", personId: null, address: "" };

/** Somebody at an address who is not signed in. */
export function strangerAt(address: string): AuditActor {
  return { email: "stranger", personId: null, address };
}

/** Writes the audit trail. */
export class AuditLog {
  readonly #now: () => number;
  readonly #randomBytes: RandomBytes;
  #lastAtMs = 0;

  constructor(components: { readonly now: () => number; readonly randomBytes: RandomBytes }) {
    this.#now = components.now;
    this.#randomBytes = components.randomBytes;
  }

  /** Adds an entry, in the transaction of the change that it speaks of: neither is there without the other. */
  async write(db: Database, record: AuditRecord): Promise<void> {
    this.#lastAtMs = Math.max(this.#lastAtMs + 1, this.#now());
    const row: Insertable<AuditTable> = {
      id: createId(this.#randomBytes),
      at_ms: this.#lastAtMs,
      actor: record.actor.email,
      actor_id: record.actor.personId,
      action: record.action,
      subject: record.subject.slice(0, 254),
      outcome: record.outcome ?? "done",
      address: record.actor.address,
      facts: JSON.stringify(record.facts ?? {}),
    };
    await db.insertInto("audit").values(row).execute();
  }
}
