import { FlareError } from "@flare-ts/contracts";
import type { Selectable } from "kysely";
import { listPeople, removePerson, removePersonSecondFactor, resetPersonPassword, updatePerson } from "../contract/people.js";
import type { PersonState } from "../contract/person.js";
import type { DashboardParts } from "../dashboard-parts.js";
import type { Database } from "../db/tables.js";
import { notFound } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { decisionLetter, passwordResetLetter } from "../mail/letters.js";
import { sendLink } from "../mail/send-link.js";
import { removeSecondFactor } from "./implement-me.js";
import { createResetLink } from "./implement-password-reset.js";
import type { PeopleTable } from "./people-tables.js";
import { personOf } from "./profile.js";
import { maySignIn } from "./sessions.js";

/** What a decision makes of a person, and of whom. */
const decisions = {
  approve: { from: ["pending", "rejected"], to: "approved" },
  reject: { from: ["pending"], to: "rejected" },
  disable: { from: ["approved"], to: "disabled" },
  enable: { from: ["disabled"], to: "approved" },
} as const satisfies Record<string, { readonly from: readonly PersonState[]; readonly to: PersonState }>;

/** Who takes part, decided by project admins. */
export function implementPeople(parts: DashboardParts): readonly Implementation[] {
  const { db, audit, changes } = parts;
  return [
    implement(listPeople, async ({ actor }) => {
      const rows = await db
        .selectFrom("people")
        .selectAll()
        .$if(actor.reach === "own-org", (query) => query.where("organization", "=", actor.organization))
        .orderBy("name")
        .orderBy("id")
        .execute();
      return { people: rows.map(personOf) };
    }),
    implement(updatePerson, async ({ actor, params, body }) => {
      const { decision, ...fields } = body;
      const person = await db.transaction().execute(async (tx) => {
        await lockAdmins(tx);
        const before = await find(tx, params.id);
        const after = { ...before, ...fields, state: decision === undefined ? before.state : decided(before.state, decision) };
        const { name, organization, role, state } = after;
        await tx.updateTable("people").set({ name, organization, role, state }).where("id", "=", before.id).execute();
        await requireAnAdmin(tx);
        if (!maySignIn(after)) await parts.sessions.endAll(tx, before.id);
        const action = decision === undefined ? "people.update" : `people.${decision}`;
        await audit.write(tx, { actor, action, subject: before.email, facts: fields });
        return after;
      });
      changes.publish("people");
      if (decision === "approve" || decision === "reject") notify(parts, person, decision === "approve");
      return personOf(person);
    }),
    implement(removePerson, async ({ actor, params }) => {
      await db.transaction().execute(async (tx) => {
        await lockAdmins(tx);
        const person = await find(tx, params.id);
        await tx.deleteFrom("people").where("id", "=", person.id).execute();
        await requireAnAdmin(tx);
        await audit.write(tx, {
          actor,
          action: "people.remove",
          subject: person.email,
          facts: { role: person.role, organization: person.organization },
        });
      });
      changes.publish("people");
    }),
    implement(resetPersonPassword, async ({ actor, params }) => {
      const { person, link, token, expiresAtMs } = await db.transaction().execute(async (tx) => {
        const found = await find(tx, params.id);
        await audit.write(tx, { actor, action: "people.resetPassword", subject: found.email });
        return { person: found, ...(await createResetLink(parts, tx, { personId: found.id, isMailed: false })) };
      });
      const sent = await sendLink(parts.mailer, link, passwordResetLetter({ to: person.email, link, expiresAtMs }));
      if (sent.link === null) await parts.links.noteMailed(db, token);
      return sent;
    }),
    implement(removePersonSecondFactor, async ({ actor, params }) => {
      await db.transaction().execute(async (tx) => {
        const person = await find(tx, params.id);
        await removeSecondFactor(tx, person.id);
        await parts.sessions.endAll(tx, person.id);
        await audit.write(tx, { actor, action: "people.removeSecondFactor", subject: person.email });
      });
      changes.publish("people");
    }),
  ];
}

async function find(db: Database, id: string): Promise<Selectable<PeopleTable>> {
  const person = await db.selectFrom("people").selectAll().where("id", "=", id).executeTakeFirst();
  if (person === undefined) throw notFound("There is no such person.");
  return person;
}

function decided(state: PersonState, decision: keyof typeof decisions): PersonState {
  const { from, to } = decisions[decision];
  if ((from as readonly PersonState[]).includes(state)) return to;
  throw new FlareError("dashboard/conflict", `The person is ${state}; only one who is ${from.join(" or ")} can be ${to}.`);
}

/** Two admins who remove each other at the same moment must wait for each other: the rows are written, and thus locked. */
async function lockAdmins(db: Database): Promise<void> {
  await db
    .updateTable("people")
    .set((row) => ({ role: row.ref("role") }))
    .where("role", "=", "project_admin")
    .execute();
}

async function requireAnAdmin(db: Database): Promise<void> {
  const admin = await db
    .selectFrom("people")
    .select("id")
    .where("role", "=", "project_admin")
    .where("state", "=", "approved")
    .limit(1)
    .executeTakeFirst();
  if (admin === undefined) throw new FlareError("dashboard/last-admin", "The project would be left without an admin.");
}

function notify({ mailer, tasks, publicUrl }: DashboardParts, person: Selectable<PeopleTable>, isApproved: boolean): void {
  if (mailer === undefined) return;
  tasks.run("decision letter", () => mailer.send(decisionLetter({ to: person.email, isApproved, url: publicUrl() })));
}
