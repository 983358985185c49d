import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@flare-ts/contracts";
import { capPeerText } from "./logger.js";

/** One line of the audit log: who did what, and whether it was allowed. */
export interface AuditEntry {
  /** Common name of the participant, or the name that a stranger claimed. */
  readonly who: string;
  readonly action: string;
  readonly outcome: "allowed" | "refused";
  /** Code of the catalogue when refused. */
  readonly code?: string;
  readonly reason?: string;
  readonly facts?: Readonly<Record<string, Json>>;
}

/** Appends to `audit.log`. */
export interface AuditLog {
  write(entry: AuditEntry): void;
}

/** Keeps `audit.log` in a folder, one JSON line an entry; what peers sent is capped. */
export class FileAuditLog implements AuditLog {
  readonly #path: string;
  readonly #now: () => number;

  constructor(init: { readonly folder: string; readonly now: () => number }) {
    this.#path = join(init.folder, "audit.log");
    this.#now = init.now;
  }

  write(entry: AuditEntry): void {
    const line = {
      at: new Date(this.#now()).toISOString(),
      ...entry,
      who: capPeerText(entry.who),
      ...(entry.reason === undefined ? {} : { reason: capPeerText(entry.reason) }),
    };
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }
}
