import type { Selectable } from "kysely";
import type { PersonState } from "../contract/person.js";
import type { Role } from "../contract/roles.js";
import type { Database } from "../db/tables.js";
import { createId, type RandomBytes } from "../secrets/tokens.js";
import type { PeopleTable } from "./people-tables.js";

/** What a new person's account begins with. */
export interface NewPerson {
  readonly email: string;
  readonly name: string;
  readonly organization: string;
  readonly role: Role;
  readonly state: PersonState;
  /** `null` for those who sign in elsewhere. */
  readonly passwordHash: string | null;
  /** Whether it is proven that the person reads what is sent to the address. */
  readonly isEmailProven: boolean;
}

/** Adds a person; the database refuses a second one with the address (`isUniqueViolation`). */
export async function addPerson(
  { now, randomBytes }: { readonly now: () => number; readonly randomBytes: RandomBytes },
  db: Database,
  person: NewPerson,
): Promise<Selectable<PeopleTable>> {
  const row: Selectable<PeopleTable> = {
    id: createId(randomBytes),
    email: person.email,
    email_proven_at_ms: person.isEmailProven ? now() : null,
    name: person.name,
    organization: person.organization,
    role: person.role,
    state: person.state,
    password_hash: person.passwordHash,
    totp_secret: null,
    totp_is_on: 0,
    totp_last_step: 0,
    created_at_ms: now(),
    last_sign_in_at_ms: null,
  };
  await db.insertInto("people").values(row).execute();
  return row;
}
