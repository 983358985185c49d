import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@flare-ts/contracts/errors";
import { diskError } from "../store/file-model-store-disk.js";
import { capPeerText, errorField, type Logger } from "./logger.js";

/** One line of the audit log: who did what, and whether it was allowed. */
export interface AuditEntry {
  /** Common name of the participant, or the name that a stranger claimed. */
  readonly who: string;
  readonly action: string;
  /** Study of a command; not that of everybody. */
  readonly study?: string;
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
  readonly #logger: Logger;

  constructor(components: { readonly logger: Logger; readonly now: () => number }, init: { readonly folder: string }) {
    this.#path = join(init.folder, "audit.log");
    this.#now = components.now;
    this.#logger = components.logger;
  }

  /** @throws FlareError `file/unwritable`, `transfer/disk-full` when something would be allowed that cannot be written down */

  write(entry: AuditEntry): void {
    const line = {
      at: new Date(this.#now()).toISOString(),
      ...entry,
      who: capPeerText(entry.who),
      ...(entry.reason === undefined ? {} : { reason: capPeerText(entry.reason) }),
    };
    try {
      appendFileSync(this.#path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
    } catch (reason) {
      // A refusal stays one, and strangers who are refused must not stop the process by filling the disk.
      const error = diskError(reason, this.#path);
      this.#logger.error("audit log could not be written", { ...line, facts: undefined, error: errorField(error) });
      if (entry.outcome === "allowed" && entry.action !== "session_ended") throw error;
    }
  }
}
