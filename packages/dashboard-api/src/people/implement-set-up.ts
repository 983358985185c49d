import { FlareError } from "@flare-ts/contracts";
import { setUp } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { checkNewPassword } from "./check-new-password.js";
import { enterSession } from "./enter-session.js";
import { addPerson } from "./new-person.js";

const setUpLinkLastsMs = 7 * 24 * 3_600_000;

/** The first project admin, by the link that the first start prints. */
export function implementSetUp(parts: DashboardParts): readonly Implementation[] {
  return [
    implement(setUp, async ({ body, ...input }) => {
      if (!(await parts.links.isUsable(parts.db, "set-up", body.token))) throw unusable();
      checkNewPassword(body.password, body);
      const passwordHash = await parts.passwords.hash(body.password);
      const person = await parts.db.transaction().execute(async (db) => {
        const link = await parts.links.take(db, "set-up", body.token);
        if (link === undefined || (await hasPeople(db))) throw unusable();
        const added = await addPerson(parts, db, { ...body, role: "project_admin", state: "approved", passwordHash, isEmailProven: false });
        const actor = { email: added.email, personId: added.id, address: input.address };
        await parts.audit.write(db, { actor, action: "session.setUp", subject: added.email });
        return added;
      });
      parts.changes.publish("people");
      return enterSession(parts, person, "set-up", input);
    }),
  ];
}

/** The address of the set-up link while nobody has an account; an earlier link stops working. `undefined` later. */
export async function createSetUpLink(parts: DashboardParts): Promise<string | undefined> {
  if (await hasPeople(parts.db)) return undefined;
  const expiresAtMs = parts.now() + setUpLinkLastsMs;
  const token = await parts.db
    .transaction()
    .execute((db) => parts.links.create(db, { kind: "set-up", personId: null, isMailed: false, expiresAtMs }));
  return `${parts.publicUrl()}/set-up#${token}`;
}

async function hasPeople(db: DashboardParts["db"]): Promise<boolean> {
  return (await db.selectFrom("people").select("id").limit(1).executeTakeFirst()) !== undefined;
}

function unusable(): FlareError {
  return new FlareError(
    "dashboard/link-unusable",
    "The set-up link was used, has expired, or never existed; start the dashboard again for a new one.",
  );
}
