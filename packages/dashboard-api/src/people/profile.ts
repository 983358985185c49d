import type { Selectable } from "kysely";
import type { Profile } from "../contract/me.js";
import type { Person } from "../contract/person.js";
import type { Database } from "../db/tables.js";
import type { PeopleTable } from "./people-tables.js";

/** A person's row as the API shows it. */
export function personOf(row: Selectable<PeopleTable>): Person {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    organization: row.organization,
    role: row.role,
    state: row.state,
    hasSecondFactor: row.totp_is_on === 1,
    createdAtMs: row.created_at_ms,
    lastSignInAtMs: row.last_sign_in_at_ms,
  };
}

/** A person as they see themselves. */
export async function profileOf(db: Database, row: Selectable<PeopleTable>): Promise<Profile> {
  const codes = await db.selectFrom("recovery_codes").select("id").where("person_id", "=", row.id).execute();
  const identities = await db.selectFrom("oidc_identities").select("provider").where("person_id", "=", row.id).execute();
  return {
    ...personOf(row),
    hasPassword: row.password_hash !== null,
    recoveryCodesLeft: codes.length,
    providers: identities.map(({ provider }) => provider),
  };
}
