import { FlareError } from "@flare-ts/contracts";
import type { Selectable } from "kysely";
import type { Database } from "../db/tables.js";
import { hashToken } from "../secrets/tokens.js";
import type { InvitationsTable } from "./people-tables.js";

/**
 * The invitation of a token, if it can still be used.
 *
 * @throws FlareError `dashboard/link-unusable`
 */
export async function findInvitation(
  { now }: { readonly now: () => number },
  db: Database,
  token: string,
): Promise<Selectable<InvitationsTable>> {
  const row = await db
    .selectFrom("invitations")
    .selectAll()
    .where("token_hash", "=", hashToken(token))
    .where("used_at_ms", "is", null)
    .where("revoked_at_ms", "is", null)
    .where("expires_at_ms", ">", now())
    .executeTakeFirst();
  if (row === undefined) throw unusable();
  return row;
}

/** Whether somebody who came by an invitation has proven that they read what is sent to an address: the link went nowhere else. */
export function provesAddress(invitation: Pick<Selectable<InvitationsTable>, "email" | "is_mailed">, email: string): boolean {
  return invitation.is_mailed === 1 && invitation.email === email;
}

/**
 * Takes an invitation, in the transaction that makes the account.
 *
 * @throws FlareError `dashboard/link-unusable` when somebody else was faster
 */
export async function takeInvitation({ now }: { readonly now: () => number }, db: Database, id: string): Promise<void> {
  const taken = await db
    .updateTable("invitations")
    .set({ used_at_ms: now() })
    .where("id", "=", id)
    .where("used_at_ms", "is", null)
    .where("revoked_at_ms", "is", null)
    .where("expires_at_ms", ">", now())
    .executeTakeFirst();
  if (taken.numUpdatedRows === 0n) throw unusable();
}

function unusable(): FlareError {
  return new FlareError("dashboard/link-unusable", "The invitation was used, has expired, was withdrawn, or never existed.");
}
