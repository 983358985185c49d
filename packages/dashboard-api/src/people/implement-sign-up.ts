import { FlareError } from "@flare-ts/contracts";
import { signUp } from "../contract/people.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { checkNewPassword } from "./check-new-password.js";
import { enterSession } from "./enter-session.js";
import { findInvitation, provesAddress } from "./open-invitation.js";
import { signUpBy } from "./sign-up.js";

/** An account by an invitation. */
export function implementSignUp(parts: DashboardParts): readonly Implementation[] {
  return [
    implement(signUp, async ({ body, ...input }) => {
      const invitation = await findInvitation(parts, parts.db, body.token);
      const email = invitation.email ?? body.email;
      if (email === undefined) {
        throw new FlareError("dashboard/invalid-request", "The e-mail address is missing.", {
          problems: [{ path: "body.email", message: "is missing" }],
        });
      }
      if (body.email !== undefined && body.email !== email) {
        throw new FlareError("dashboard/invalid-request", "The invitation is for another e-mail address.", {
          problems: [{ path: "body.email", message: "is not the invited one" }],
        });
      }
      checkNewPassword(body.password, { email, name: body.name });
      // Whoever has an invitation must not find out with it who else has an account.
      await parts.attempts.begin({ kind: "invitation", value: invitation.id });
      const passwordHash = await parts.passwords.hash(body.password);
      const isEmailProven = provesAddress(invitation, email);
      const person = await signUpBy(parts, invitation, { name: body.name, email, passwordHash, isEmailProven, address: input.address });
      return enterSession(parts, person, "sign-up", input);
    }),
  ];
}
