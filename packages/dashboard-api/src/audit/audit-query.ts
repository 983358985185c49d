import type { Selectable } from "kysely";
import type { AuditEntry } from "../contract/audit.js";
import type { Database } from "../db/tables.js";
import type { AuditTable } from "./audit-tables.js";

/** Which entries are wanted. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  /** An action, or the first part of several. */
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  readonly outcome?: "done" | "refused" | undefined;
  readonly sinceMs?: number | undefined;
  /** Exclusive. */
  readonly untilMs?: number | undefined;
}

/** Where a page of entries begins: below this one. */
export interface AuditCursor {
  readonly atMs: number;
  readonly id: string;
}

/** Entries that a filter finds, the newest first. */
export async function findAudit(
  db: Database,
  filter: AuditFilter,
  page: { readonly below?: AuditCursor | undefined; readonly limit: number },
): Promise<AuditEntry[]> {
  const { actor, action, subject, outcome, sinceMs, untilMs } = filter;
  const { below, limit } = page;
  let query = db.selectFrom("audit").selectAll();
  if (actor !== undefined) query = query.where("actor", "=", actor);
  if (action !== undefined)
    query = query.where((row) => row.or([row("action", "=", action), row("action", "like", `${likeText(action)}.%`)]));
  if (subject !== undefined) query = query.where("subject", "=", subject);
  if (outcome !== undefined) query = query.where("outcome", "=", outcome);
  if (sinceMs !== undefined) query = query.where("at_ms", ">=", sinceMs);
  if (untilMs !== undefined) query = query.where("at_ms", "<", untilMs);
  if (below !== undefined) {
    query = query.where((row) =>
      row.or([row("at_ms", "<", below.atMs), row.and([row("at_ms", "=", below.atMs), row("id", "<", below.id)])]),
    );
  }
  const rows = await query.orderBy("at_ms", "desc").orderBy("id", "desc").limit(limit).execute();
  return rows.map(entryOf);
}

/** `%` and `_` would stand for anything; action names have neither. */
function likeText(text: string): string {
  return text.replaceAll(/[%_\\]/g, "");
}

function entryOf(row: Selectable<AuditTable>): AuditEntry {
  return {
    id: row.id,
    atMs: row.at_ms,
    actor: row.actor,
    actorId: row.actor_id,
    action: row.action,
    subject: row.subject,
    outcome: row.outcome,
    address: row.address,
    facts: JSON.parse(row.facts) as AuditEntry["facts"],
  };
}
