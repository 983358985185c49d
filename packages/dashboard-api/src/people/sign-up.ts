import { FlareError } from "@flare-ts/contracts";
import type { Selectable } from "kysely";
import type { DashboardParts } from "../dashboard-parts.js";
import type { Database } from "../db/tables.js";
import { isUniqueViolation } from "../db/unique-violation.js";
import { addPerson } from "./new-person.js";
import { takeInvitation } from "./open-invitation.js";
import type { InvitationsTable, PeopleTable } from "./people-tables.js";

/** Who signs up by an invitation. */
export interface NewAccount {
  readonly name: string;
  readonly email: string;
  /** `null` for those who sign in elsewhere. */
  readonly passwordHash: string | null;
  /** Whether it is proven that the person reads what is sent to the address. */
  readonly isEmailProven: boolean;
  readonly address: string;
}

/**
 * Makes an account by an invitation and takes the invitation; `also` is done in the same transaction.
 *
 * @throws FlareError `dashboard/link-unusable`, `dashboard/conflict`
 */
export async function signUpBy(
  parts: DashboardParts,
  invitation: Selectable<InvitationsTable>,
  account: NewAccount,
  also: (db: Database, person: Selectable<PeopleTable>) => Promise<void> = async () => undefined,
): Promise<Selectable<PeopleTable>> {
  const { role, organization } = invitation;
  const state = invitation.approves_at_once === 1 ? "approved" : "pending";
  try {
    const person = await parts.db.transaction().execute(async (db) => {
      await takeInvitation(parts, db, invitation.id);
      const added = await addPerson(parts, db, { ...account, role, organization, state });
      const actor = { email: added.email, personId: added.id, address: account.address };
      await parts.audit.write(db, { actor, action: "invitations.signUp", subject: added.email, facts: { role, organization, state } });
      await also(db, added);
      return added;
    });
    parts.changes.publish("people");
    parts.changes.publish("invitations");
    return person;
  } catch (reason) {
    if (!isUniqueViolation(reason)) throw reason;
    throw new FlareError("dashboard/conflict", "No account can be made with this address. Sign in if you have one already.");
  }
}
