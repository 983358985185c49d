import type { Session } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { profileOf } from "./profile.js";
import type { LiveSession } from "./sessions.js";

/** What `GET /session` says; routes that begin a session answer the same. */
export async function sessionAnswer(
  parts: Pick<DashboardParts, "db" | "guard" | "mailer" | "oidc">,
  live: LiveSession | undefined,
): Promise<Session> {
  const isComplete = live?.session.step === "complete";
  const anybody = await parts.db.selectFrom("people").select("id").limit(1).executeTakeFirst();
  return {
    state: live === undefined ? "signed-out" : isComplete ? "signed-in" : "second-factor",
    csrfToken: live === undefined ? null : parts.guard.csrfTokenOf(live.session.id),
    person: live !== undefined && isComplete ? await profileOf(parts.db, live.person) : null,
    needsSetUp: anybody === undefined,
    providers: parts.oidc.providers.map(({ id, title }) => ({ id, title })),
    hasMail: parts.mailer !== undefined,
  };
}
