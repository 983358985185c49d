import { FlareError } from "@flare-ts/contracts";
import { strangerAt } from "../audit/audit-log.js";
import { getSession, giveSecondFactor, signIn, signOut } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import type { AttemptKey } from "./attempts.js";
import { enterSession } from "./enter-session.js";
import { sessionAnswer } from "./session-answer.js";
import { maySignIn } from "./sessions.js";
import { signInKeys } from "./sign-in-attempts.js";

/** Signing in and out. */
export function implementSession(parts: DashboardParts): readonly Implementation[] {
  const { db, sessions, cookie, guard } = parts;
  return [
    implement(getSession, async ({ request }) => sessionAnswer(parts, await guard.liveSession(request))),
    implement(signIn, async ({ body, ...input }) => {
      const device = parts.devices.find(input.request, body.email);
      const keys = signInKeys({ email: body.email, address: input.address, device, nowMs: parts.now() });
      await parts.attempts.begin(...keys);
      const person = await db.selectFrom("people").selectAll().where("email", "=", body.email).executeTakeFirst();
      const isRight = await parts.passwords.verify(body.password, person?.password_hash);
      if (person === undefined || !isRight || !maySignIn(person)) {
        // An address that nobody has may be a password in the wrong field: it is not written down.
        const subject = person?.email ?? "an unknown address";
        await parts.audit.write(db, { actor: strangerAt(input.address), action: "session.signIn", subject, outcome: "refused" });
        throw new FlareError("dashboard/wrong-credentials", "E-mail address and password do not belong together.");
      }
      await parts.attempts.succeed(...keys);
      return enterSession(parts, person, "password", input);
    }),
    implement(giveSecondFactor, async ({ body, ...input }) => {
      const live = await guard.liveSession(input.request);
      if (live?.session.step !== "second-factor") {
        throw new FlareError("dashboard/not-signed-in", "The time between password and code is over; sign in again.");
      }
      const { person } = live;
      const key: AttemptKey = { kind: "code", value: person.id };
      await parts.attempts.begin(key);
      const isApp = await parts.secondFactor.useCode(db, person, body.code);
      const isRight = isApp || (await parts.secondFactor.useRecoveryCode(db, person.id, body.code));
      if (!isRight) {
        const actor = strangerAt(input.address);
        await parts.audit.write(db, { actor, action: "session.secondFactor", subject: person.email, outcome: "refused" });
        throw new FlareError("dashboard/wrong-code", "The code is wrong or was used already.");
      }
      await parts.attempts.succeed(key);
      return enterSession(parts, person, "second-factor", input);
    }),
    implement(signOut, async ({ request, reply, address }) => {
      const live = await guard.liveSession(request);
      cookie.clear(reply);
      if (live === undefined) return;
      await sessions.end(db, live.person.id, live.session.id);
      const actor = { email: live.person.email, personId: live.person.id, address };
      await parts.audit.write(db, { actor, action: "session.signOut", subject: live.person.email });
    }),
  ];
}
