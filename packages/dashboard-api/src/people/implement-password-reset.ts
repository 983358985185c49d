import { FlareError } from "@flare-ts/contracts";
import { strangerAt } from "../audit/audit-log.js";
import { completePasswordReset, requestPasswordReset } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { passwordResetLetter } from "../mail/letters.js";
import { checkNewPassword } from "./check-new-password.js";
import { maySignIn } from "./sessions.js";
import { signInKeys } from "./sign-in-attempts.js";

const resetLinkLastsMs = 3_600_000;

/** A forgotten password. */
export function implementPasswordReset(parts: DashboardParts): readonly Implementation[] {
  return [
    implement(requestPasswordReset, async ({ body, address }) => {
      // All of it happens after the answer, which is thus the same, and as fast, whoever asks for whom.
      parts.tasks.run("password reset", () => sendReset(parts, body.email, address));
      const message =
        parts.mailer === undefined
          ? "This dashboard sends no mail. Ask a project admin for a link to set a new password."
          : "If there is an account with this address, a letter with a link is on its way.";
      return { message };
    }),
    implement(completePasswordReset, async ({ body, address }) => {
      const unusable = new FlareError("dashboard/link-unusable", "The link was used, has expired, or never existed.");
      if (!(await parts.links.isUsable(parts.db, "password-reset", body.token))) throw unusable;
      checkNewPassword(body.password, { email: "", name: "" });
      const passwordHash = await parts.passwords.hash(body.password);
      const email = await parts.db.transaction().execute(async (db) => {
        const link = await parts.links.take(db, "password-reset", body.token);
        if (link === undefined || link.personId === null) throw unusable;
        const person = await db.selectFrom("people").selectAll().where("id", "=", link.personId).executeTakeFirst();
        if (person === undefined) throw unusable;
        checkNewPassword(body.password, person);
        await db.updateTable("people").set({ password_hash: passwordHash }).where("id", "=", person.id).execute();
        await parts.sessions.endAll(db, person.id);
        const provesAddress = link.isMailed && person.email_proven_at_ms === null;
        if (provesAddress) await proveAddress(parts, db, person.id);
        const actor = { email: person.email, personId: person.id, address };
        await parts.audit.write(db, { actor, action: "session.passwordReset", subject: person.email, facts: { provesAddress } });
        return person.email;
      });
      const forgotten = signInKeys({ email, address, nowMs: parts.now() }).filter(({ kind: counted }) => counted !== "address");
      await parts.attempts.succeed(...forgotten, { kind: "reset", value: email });
    }),
  ];
}

/** Makes the link by which a person sets a new password; earlier ones stop working. */
export async function createResetLink(
  parts: Pick<DashboardParts, "now" | "links" | "publicUrl">,
  db: DashboardParts["db"],
  { personId, isMailed }: { readonly personId: string; readonly isMailed: boolean },
): Promise<{ link: string; token: string; expiresAtMs: number }> {
  const expiresAtMs = parts.now() + resetLinkLastsMs;
  const token = await parts.links.create(db, { kind: "password-reset", personId, isMailed, expiresAtMs });
  return { link: `${parts.publicUrl()}/reset-password#${token}`, token, expiresAtMs };
}

/**
 * Notes that a person's address is proven. Whoever had the account before had not proven it, and might have been somebody else: their
 * sign-in at an institution leads here no more.
 */
async function proveAddress({ now }: DashboardParts, db: DashboardParts["db"], personId: string): Promise<void> {
  await db.updateTable("people").set({ email_proven_at_ms: now() }).where("id", "=", personId).execute();
  await db.deleteFrom("oidc_identities").where("person_id", "=", personId).execute();
}

async function sendReset(parts: DashboardParts, email: string, address: string): Promise<void> {
  const { mailer } = parts;
  const person = await parts.db.selectFrom("people").selectAll().where("email", "=", email).executeTakeFirst();
  if (mailer === undefined || person === undefined || !maySignIn(person)) return;
  try {
    await parts.attempts.begin({ kind: "reset", value: email });
  } catch (reason) {
    // Whoever asks again and again must not fill a mailbox.
    if (reason instanceof FlareError && reason.code === "dashboard/too-many-attempts") return;
    throw reason;
  }
  const { link, expiresAtMs } = await parts.db.transaction().execute(async (db) => {
    await parts.audit.write(db, { actor: strangerAt(address), action: "session.requestPasswordReset", subject: person.email });
    return createResetLink(parts, db, { personId: person.id, isMailed: true });
  });
  await mailer.send(passwordResetLetter({ to: person.email, link, expiresAtMs }));
}
