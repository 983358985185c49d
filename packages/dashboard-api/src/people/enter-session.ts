import type { FastifyReply, FastifyRequest } from "fastify";
import type { Selectable } from "kysely";
import type { Session } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import type { PeopleTable } from "./people-tables.js";
import { sessionAnswer } from "./session-answer.js";

/** How somebody proved who they are. */
export type SignInWay = "password" | "second-factor" | "oidc" | "sign-up" | "set-up";

/**
 * Begins a session for a person who has proved who they are, with a new token (an older session of this browser ends); where
 * a second factor is on and was not given yet, one that waits for its code.
 */
export async function enterSession(
  parts: DashboardParts,
  person: Selectable<PeopleTable>,
  way: SignInWay,
  { request, reply, address }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly address: string },
): Promise<Session> {
  const step = person.totp_is_on === 1 && way !== "second-factor" ? "second-factor" : "complete";
  const earlier = await parts.guard.liveSession(request);
  const userAgent = request.headers["user-agent"] ?? "";
  const token = await parts.db.transaction().execute(async (db) => {
    if (earlier !== undefined) await parts.sessions.end(db, earlier.person.id, earlier.session.id);
    if (step === "complete") {
      await db.updateTable("people").set({ last_sign_in_at_ms: parts.now() }).where("id", "=", person.id).execute();
      const actor = { email: person.email, personId: person.id, address };
      await parts.audit.write(db, { actor, action: "session.signIn", subject: person.email, facts: { way } });
    }
    return parts.sessions.begin(db, { personId: person.id, step, address, userAgent });
  });
  parts.cookie.write(reply, token);
  if (step === "complete") parts.devices.remember(request, reply, person.email);
  const live = await parts.sessions.find(token);
  if (live !== undefined) reply.header("x-csrf-token", parts.guard.csrfTokenOf(live.session.id));
  return sessionAnswer(parts, live);
}
