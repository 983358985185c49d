import { FlareError } from "@flare-ts/contracts";
import { getSession, signIn, signOut } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { sessionAnswer } from "./session-answer.js";
import { maySignIn } from "./sessions.js";

/** Signing in and out. */
export function implementSession(parts: DashboardParts): readonly Implementation[] {
  const { db, sessions, passwords, cookie, guard } = parts;
  return [
    implement(getSession, async ({ request }) => sessionAnswer(parts, await guard.liveSession(request))),
    implement(signIn, async ({ body, request, reply, address }) => {
      const person = await db.selectFrom("people").selectAll().where("email", "=", body.email).executeTakeFirst();
      const isRight = await passwords.verify(body.password, person?.password_hash);
      if (person === undefined || !isRight || !maySignIn(person)) {
        throw new FlareError("dashboard/wrong-credentials", "E-mail address and password do not belong together.");
      }
      const token = await sessions.begin(db, {
        personId: person.id,
        step: "complete",
        address,
        userAgent: request.headers["user-agent"] ?? "",
      });
      cookie.write(reply, token);
      return sessionAnswer(parts, await sessions.find(token));
    }),
    implement(signOut, async ({ request, reply }) => {
      const live = await guard.liveSession(request);
      if (live !== undefined) await sessions.end(db, live.person.id, live.session.id);
      cookie.clear(reply);
    }),
  ];
}
