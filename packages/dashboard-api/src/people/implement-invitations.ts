import { FlareError } from "@flare-ts/contracts";
import type { Selectable } from "kysely";
import { type Invitation, invite, listInvitations, readInvitation, resendInvitation, revokeInvitation } from "../contract/people.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { notFound } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { invitationLetter } from "../mail/letters.js";
import { type SentLink, sendLink } from "../mail/send-link.js";
import { createId, createToken, hashToken } from "../secrets/tokens.js";
import { findInvitation } from "./open-invitation.js";
import type { InvitationsTable } from "./people-tables.js";

/** Inviting people. */
export function implementInvitations(parts: DashboardParts): readonly Implementation[] {
  const { db, audit, changes, now, randomBytes } = parts;
  return [
    implement(listInvitations, async () => {
      const rows = await db.selectFrom("invitations").selectAll().orderBy("created_at_ms", "desc").orderBy("id").execute();
      return { invitations: rows.map((row) => invitationOf(row, now())) };
    }),
    implement(invite, async ({ actor, body }) => {
      const { email, role, organization, expiresInHours, approvesAtOnce } = body;
      if (body.delivery === "mail" && email === undefined) {
        throw new FlareError("dashboard/invalid-request", "A letter needs an address.", {
          problems: [{ path: "body.email", message: "is missing" }],
        });
      }
      if (body.delivery === "mail" && parts.mailer === undefined) {
        throw new FlareError("dashboard/not-configured", "This dashboard is not set up to send mail; pass the link on by hand.");
      }
      const token = createToken(randomBytes);
      const row: Selectable<InvitationsTable> = {
        id: createId(randomBytes),
        token_hash: hashToken(token),
        is_mailed: 0,
        email: email ?? null,
        role,
        organization,
        approves_at_once: approvesAtOnce ? 1 : 0,
        invited_by: actor.name,
        created_at_ms: now(),
        expires_at_ms: now() + expiresInHours * 3_600_000,
        used_at_ms: null,
        revoked_at_ms: null,
      };
      await db.transaction().execute(async (tx) => {
        await tx.insertInto("invitations").values(row).execute();
        const facts = { role, organization, approvesAtOnce, expiresInHours };
        await audit.write(tx, { actor, action: "invitations.create", subject: email ?? row.id, facts });
      });
      changes.publish("invitations");
      return { invitation: invitationOf(row, now()), ...(await send(parts, row, token, body.delivery !== "link")) };
    }),
    implement(resendInvitation, async ({ actor, params }) => {
      const token = createToken(randomBytes);
      const row = await db.transaction().execute(async (tx) => {
        const before = await tx.selectFrom("invitations").selectAll().where("id", "=", params.id).executeTakeFirst();
        if (before === undefined) throw notFound("There is no such invitation.");
        const lastsMs = before.expires_at_ms - before.created_at_ms;
        // It begins anew: counted from the first link, each next one would last longer than the one before.
        const [created_at_ms, expires_at_ms] = [now(), now() + lastsMs];
        const renewed = await tx
          .updateTable("invitations")
          .set({ token_hash: hashToken(token), is_mailed: 0, created_at_ms, expires_at_ms })
          .where("id", "=", before.id)
          .where("used_at_ms", "is", null)
          .where("revoked_at_ms", "is", null)
          .returningAll()
          .executeTakeFirst();
        if (renewed === undefined) throw new FlareError("dashboard/conflict", "The invitation was used or withdrawn; invite again.");
        await audit.write(tx, { actor, action: "invitations.resend", subject: before.email ?? before.id });
        return renewed;
      });
      changes.publish("invitations");
      return { invitation: invitationOf(row, now()), ...(await send(parts, row, token, true)) };
    }),
    implement(revokeInvitation, async ({ actor, params }) => {
      await db.transaction().execute(async (tx) => {
        const row = await tx
          .updateTable("invitations")
          .set({ revoked_at_ms: now() })
          .where("id", "=", params.id)
          .where("used_at_ms", "is", null)
          .where("revoked_at_ms", "is", null)
          .returning(["id", "email"])
          .executeTakeFirst();
        if (row === undefined) throw notFound("There is no such open invitation.");
        await audit.write(tx, { actor, action: "invitations.revoke", subject: row.email ?? row.id });
      });
      changes.publish("invitations");
    }),
    implement(readInvitation, async ({ body }) => invitationOf(await findInvitation(parts, db, body.token), now())),
  ];
}

function invitationOf(row: Selectable<InvitationsTable>, nowMs: number): Invitation {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    organization: row.organization,
    state: row.used_at_ms !== null ? "used" : row.revoked_at_ms !== null ? "revoked" : row.expires_at_ms <= nowMs ? "expired" : "open",
    approvesAtOnce: row.approves_at_once === 1,
    invitedBy: row.invited_by,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  };
}

async function send(parts: DashboardParts, row: Selectable<InvitationsTable>, token: string, byMail: boolean): Promise<SentLink> {
  const link = `${parts.publicUrl()}/sign-up#${token}`;
  const letter =
    row.email === null || !byMail
      ? undefined
      : invitationLetter({ to: row.email, link, invitedBy: row.invited_by, expiresAtMs: row.expires_at_ms });
  const sent = await sendLink(parts.mailer, link, letter);
  if (sent.link === null)
    await parts.db.updateTable("invitations").set({ is_mailed: 1 }).where("token_hash", "=", hashToken(token)).execute();
  return sent;
}
