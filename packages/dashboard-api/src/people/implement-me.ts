import { FlareError } from "@flare-ts/contracts";
import type { Selectable } from "kysely";
import {
  beginTotp,
  changePassword,
  confirmTotp,
  endMySession,
  getMe,
  listMySessions,
  removeTotp,
  renewRecoveryCodes,
  updateMe,
} from "../contract/me.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Actor, notFound } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import type { AttemptKey } from "./attempts.js";
import { checkNewPassword } from "./check-new-password.js";
import type { PeopleTable } from "./people-tables.js";
import { profileOf } from "./profile.js";

/** The own profile, password, second factor and sessions. */
export function implementMe(parts: DashboardParts): readonly Implementation[] {
  return [...ownProfile(parts), ...ownSecondFactor(parts), ...ownSessions(parts)];
}

function ownProfile(parts: DashboardParts): readonly Implementation[] {
  const { db, audit } = parts;
  return [
    implement(getMe, async ({ actor }) => profileOf(db, await ownRow(parts, actor))),
    implement(updateMe, async ({ actor, body }) => {
      await db.transaction().execute(async (tx) => {
        await tx.updateTable("people").set({ name: body.name }).where("id", "=", actor.personId).execute();
        await audit.write(tx, { actor, action: "me.update", subject: actor.email, facts: { name: body.name } });
      });
      parts.changes.publish("people");
      return profileOf(db, await ownRow(parts, actor));
    }),
    implement(changePassword, async ({ actor, body }) => {
      const person = await ownRow(parts, actor);
      await provePassword(parts, person, body.currentPassword);
      checkNewPassword(body.newPassword, person);
      const passwordHash = await parts.passwords.hash(body.newPassword);
      await db.transaction().execute(async (tx) => {
        await tx.updateTable("people").set({ password_hash: passwordHash }).where("id", "=", person.id).execute();
        await parts.sessions.endAll(tx, person.id, actor.sessionId);
        // Whoever has one from before, such as from a mailbox that was read by others, must not set yet another password.
        await parts.links.withdraw(tx, { kind: "password-reset", personId: person.id });
        await audit.write(tx, { actor, action: "me.changePassword", subject: actor.email });
      });
    }),
  ];
}

function ownSecondFactor(parts: DashboardParts): readonly Implementation[] {
  const { db, audit, secondFactor } = parts;
  return [
    implement(beginTotp, async ({ actor, body }) => {
      const person = await ownRow(parts, actor);
      if (person.totp_is_on === 1) throw new FlareError("dashboard/conflict", "A second factor is on already; turn it off first.");
      await provePassword(parts, person, body.password);
      const { sealed, secret, uri } = secondFactor.create(person, "FLARE");
      const begun = await db
        .updateTable("people")
        .set({ totp_secret: sealed, totp_last_step: 0 })
        .where("id", "=", person.id)
        .where("totp_is_on", "=", 0)
        .executeTakeFirst();
      if (begun.numUpdatedRows === 0n) throw new FlareError("dashboard/conflict", "A second factor is on already; turn it off first.");
      return { secret, uri };
    }),
    implement(confirmTotp, async ({ actor, body }) => {
      const person = await ownRow(parts, actor);
      if (person.totp_is_on === 1) throw new FlareError("dashboard/conflict", "A second factor is on already.");
      if (person.totp_secret === null)
        throw new FlareError("dashboard/conflict", "There is nothing to confirm yet; begin with the secret.");
      await proveCode(parts, person, body.code);
      return db.transaction().execute(async (tx) => {
        // Only the secret whose code was shown is turned on: another window may have made a new one in between.
        const turnedOn = await tx
          .updateTable("people")
          .set({ totp_is_on: 1 })
          .where("id", "=", person.id)
          .where("totp_is_on", "=", 0)
          .where("totp_secret", "=", person.totp_secret)
          .executeTakeFirst();
        if (turnedOn.numUpdatedRows === 0n)
          throw new FlareError("dashboard/conflict", "The secret was made anew in between; use the newest.");
        await parts.sessions.endAll(tx, person.id, actor.sessionId);
        await audit.write(tx, { actor, action: "me.confirmTotp", subject: actor.email });
        return { recoveryCodes: await secondFactor.renewRecoveryCodes(tx, person.id) };
      });
    }),
    implement(removeTotp, async ({ actor, body }) => {
      const person = await ownRow(parts, actor);
      if (person.totp_is_on === 0) throw new FlareError("dashboard/conflict", "There is no second factor.");
      await proveCode(parts, person, body.code);
      await db.transaction().execute(async (tx) => {
        await removeSecondFactor(tx, person.id);
        await audit.write(tx, { actor, action: "me.removeTotp", subject: actor.email });
      });
    }),
    implement(renewRecoveryCodes, async ({ actor, body }) => {
      const person = await ownRow(parts, actor);
      if (person.totp_is_on === 0) throw new FlareError("dashboard/conflict", "There is no second factor.");
      await proveCode(parts, person, body.code);
      return db.transaction().execute(async (tx) => {
        await audit.write(tx, { actor, action: "me.renewRecoveryCodes", subject: actor.email });
        return { recoveryCodes: await secondFactor.renewRecoveryCodes(tx, person.id) };
      });
    }),
  ];
}

function ownSessions(parts: DashboardParts): readonly Implementation[] {
  return [
    implement(listMySessions, async ({ actor }) => {
      const sessions = await parts.sessions.list(actor.personId);
      return {
        sessions: sessions.map((session) => ({
          id: session.id,
          isThisOne: session.id === actor.sessionId,
          createdAtMs: session.created_at_ms,
          lastSeenAtMs: session.last_seen_at_ms,
          endsAtMs: session.ends_at_ms,
          address: session.address,
          userAgent: session.user_agent,
        })),
      };
    }),
    implement(endMySession, async ({ actor, params, reply }) => {
      await parts.db.transaction().execute(async (tx) => {
        if (!(await parts.sessions.end(tx, actor.personId, params.id))) throw notFound("There is no such session of yours.");
        await parts.audit.write(tx, { actor, action: "me.endSession", subject: actor.email });
      });
      if (params.id === actor.sessionId) parts.cookie.clear(reply);
    }),
  ];
}

/** Turns a person's second factor off. */
export async function removeSecondFactor(db: DashboardParts["db"], personId: string): Promise<void> {
  await db.updateTable("people").set({ totp_secret: null, totp_is_on: 0, totp_last_step: 0 }).where("id", "=", personId).execute();
  await db.deleteFrom("recovery_codes").where("person_id", "=", personId).execute();
}

/** The row of whoever calls. @throws FlareError `dashboard/not-signed-in` */
export async function ownRow({ db }: DashboardParts, actor: Actor): Promise<Selectable<PeopleTable>> {
  const person = await db.selectFrom("people").selectAll().where("id", "=", actor.personId).executeTakeFirst();
  if (person === undefined) throw new FlareError("dashboard/not-signed-in", "The account is gone.");
  return person;
}

/**
 * Passes with the current password, where there is one: whoever finds an open session must not take the account over.
 *
 * @throws FlareError `dashboard/wrong-password`, `dashboard/too-many-attempts`
 */
export async function provePassword(parts: DashboardParts, person: Selectable<PeopleTable>, password: string | undefined): Promise<void> {
  if (person.password_hash === null) return;
  const key: AttemptKey = { kind: "own-password", value: person.id };
  await parts.attempts.begin(key);
  if (password === undefined || !(await parts.passwords.verify(password, person.password_hash))) {
    throw new FlareError("dashboard/wrong-password", "The current password is not right.");
  }
  await parts.attempts.succeed(key);
}

async function proveCode(parts: DashboardParts, person: Selectable<PeopleTable>, code: string): Promise<void> {
  const key: AttemptKey = { kind: "code", value: person.id };
  await parts.attempts.begin(key);
  const isApp = await parts.secondFactor.useCode(parts.db, person, code);
  if (!isApp && !(await parts.secondFactor.useRecoveryCode(parts.db, person.id, code))) {
    throw new FlareError("dashboard/wrong-code", "The code is wrong or was used already.");
  }
  await parts.attempts.succeed(key);
}
