import { FlareError } from "@flare-ts/contracts";
import type { Selectable } from "kysely";
import type { DashboardParts } from "../dashboard-parts.js";
import type { Database } from "../db/tables.js";
import { findInvitation, provesAddress } from "../people/open-invitation.js";
import type { PeopleTable } from "../people/people-tables.js";
import { maySignIn } from "../people/sessions.js";
import { signUpBy } from "../people/sign-up.js";
import type { OidcFlow, OidcIdentity } from "./oidc-provider.js";

type Person = Selectable<PeopleTable>;

/**
 * The person of an identity: known by it, invited, or known by an address that both sides have made sure of. An account whose own address
 * was never proven may be somebody else's who only claimed it: it is linked by its holder, from the profile.
 *
 * @throws FlareError `dashboard/sign-in-elsewhere`, `dashboard/link-unusable`, `dashboard/conflict`
 */
export async function personOfIdentity(
  parts: DashboardParts,
  identity: OidcIdentity,
  flow: OidcFlow,
  address: string,
): Promise<Person | undefined> {
  const { db } = parts;
  const known = await knownBy(db, identity);
  if (known !== undefined) return known;
  if (identity.email === undefined) return undefined;
  if (flow.invitation !== undefined) return await invited(parts, { ...identity, email: identity.email }, flow, flow.invitation, address);
  if (!identity.isEmailVerified) return undefined;
  const person = await db
    .selectFrom("people")
    .selectAll()
    .where("email", "=", identity.email)
    .where("email_proven_at_ms", "is not", null)
    .executeTakeFirst();
  if (person === undefined || !maySignIn(person)) return undefined;
  await db.transaction().execute(async (tx) => {
    await insert(tx, identity, flow, person.id);
    const actor = { email: person.email, personId: person.id, address };
    await parts.audit.write(tx, { actor, action: "session.linkOidc", subject: person.email, facts: { provider: flow.provider } });
  });
  return person;
}

/**
 * Makes an identity lead to the account of whoever asked for it, as long as the session in which they did is alive.
 *
 * @throws FlareError `dashboard/not-signed-in`, `dashboard/conflict`
 */
export async function linkIdentity(
  parts: DashboardParts,
  identity: OidcIdentity,
  { provider, linkTo }: { readonly provider: string; readonly linkTo: NonNullable<OidcFlow["linkTo"]> },
  address: string,
): Promise<void> {
  const { personId, sessionId } = linkTo;
  const isSignedIn = (await parts.sessions.list(personId)).some(({ id }) => id === sessionId);
  const person = await parts.db.selectFrom("people").selectAll().where("id", "=", personId).executeTakeFirst();
  if (!isSignedIn || person === undefined || !maySignIn(person)) {
    throw new FlareError("dashboard/not-signed-in", "The session in which this was asked for has ended.");
  }
  const known = await knownBy(parts.db, identity);
  if (known?.id === person.id) return;
  if (known !== undefined) throw new FlareError("dashboard/conflict", "This sign-in leads to another account already.");
  await parts.db.transaction().execute(async (tx) => {
    await insert(tx, identity, { provider }, person.id);
    if (identity.isEmailVerified && identity.email === person.email && person.email_proven_at_ms === null)
      await tx.updateTable("people").set({ email_proven_at_ms: parts.now() }).where("id", "=", person.id).execute();
    const actor = { email: person.email, personId: person.id, address };
    await parts.audit.write(tx, { actor, action: "me.linkInstitution", subject: person.email, facts: { provider } });
  });
}

async function knownBy(db: Database, { issuer, subject }: OidcIdentity): Promise<Person | undefined> {
  return await db
    .selectFrom("oidc_identities")
    .innerJoin("people", "people.id", "oidc_identities.person_id")
    .selectAll("people")
    .where("issuer", "=", issuer)
    .where("subject", "=", subject)
    .executeTakeFirst();
}

async function invited(
  parts: DashboardParts,
  identity: OidcIdentity & { readonly email: string },
  flow: OidcFlow,
  token: string,
  address: string,
): Promise<Person> {
  const { email, name = email, isEmailVerified } = identity;
  const invitation = await findInvitation(parts, parts.db, token);
  if (invitation.email !== null && invitation.email !== email) {
    throw new FlareError("dashboard/sign-in-elsewhere", "The invitation is for another e-mail address than the institution gave.");
  }
  const isEmailProven = isEmailVerified || provesAddress(invitation, email);
  const account = { name, email, passwordHash: null, isEmailProven, address };
  return await signUpBy(parts, invitation, account, (tx, person) => insert(tx, identity, flow, person.id));
}

async function insert(
  db: Database,
  { issuer, subject }: OidcIdentity,
  { provider }: Pick<OidcFlow, "provider">,
  personId: string,
): Promise<void> {
  await db.insertInto("oidc_identities").values({ issuer, subject, person_id: personId, provider }).execute();
}
