import { randomBytes as cryptoRandomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { FlareError } from "@flare-ts/contracts";
import { pino } from "pino";
import { AuditLog, operatorActor } from "../audit/audit-log.js";
import { claimDataFolder } from "../claim-data-folder.js";
import { emailSchema } from "../contract/schemas.js";
import { embeddedDatabasePath, openDatabase } from "../db/open-database.js";
import type { DashboardComponents } from "../open-dashboard.js";
import { removeSecondFactor } from "./implement-me.js";
import { createResetLink } from "./implement-password-reset.js";
import { OneTimeLinks } from "./one-time-links.js";
import { maySignIn } from "./sessions.js";

export interface ResetPasswordInit {
  /** Data folder of a dashboard that was started before. */
  readonly dataFolder: string;
  /** Of its PostgreSQL database. @default the embedded one */
  readonly databaseUrl?: string | undefined;
  /** The address under which people reach it. @default the link is a path, to be put behind that address */
  readonly publicUrl?: string | undefined;
  /** Address of the account. */
  readonly email: string;
  /** Whether its second factor, which may be lost too, is turned off. @default false */
  readonly removesSecondFactor?: boolean;
  /** Who asks, for the audit trail: an account of this machine. */
  readonly by: string;
}

/** A link by which a person sets a new password, once. */
export interface ResetLink {
  readonly email: string;
  readonly link: string;
  readonly expiresAtMs: number;
}

/**
 * Makes a link for a new password without anybody being signed in, for whoever may read the dashboard's database: the way back of a
 * project admin whom no other admin can help. The dashboard must not run meanwhile.
 *
 * @throws FlareError `dashboard/already-running`, `dashboard/not-found` when there is no such account, `dashboard/conflict` when its
 * holder may not sign in at all, `file/not-found`, `cli/invalid-arguments`, and as `openDashboard`.
 */
export async function resetPasswordLocally(init: ResetPasswordInit, components: DashboardComponents = {}): Promise<ResetLink> {
  const { dataFolder, databaseUrl } = init;
  const { now = Date.now, logger = pino({ level: "silent" }) } = components;
  const email = emailSchema.safeParse(init.email);
  if (!email.success) throw new FlareError("cli/invalid-arguments", `'${init.email.slice(0, 120)}' is no e-mail address.`);
  // Nothing is made where no dashboard was.
  if (databaseUrl === undefined && !existsSync(embeddedDatabasePath(dataFolder))) {
    throw new FlareError("file/not-found", `No dashboard has its data in ${dataFolder}.`, { facts: { file: dataFolder } });
  }
  const release = existsSync(dataFolder) ? claimDataFolder(dataFolder, now()) : () => {};
  try {
    const db = await openDatabase({ logger }, { dataFolder, databaseUrl });
    try {
      return await db.transaction().execute(async (tx) => await makeLink(tx, { ...init, email: email.data }, components));
    } finally {
      await db.destroy();
    }
  } finally {
    release();
  }
}

async function makeLink(
  db: Parameters<typeof createResetLink>[1],
  { email, publicUrl, removesSecondFactor = false, by }: ResetPasswordInit,
  { now = Date.now, randomBytes = cryptoRandomBytes }: DashboardComponents,
): Promise<ResetLink> {
  const person = await db.selectFrom("people").selectAll().where("email", "=", email).executeTakeFirst();
  if (person === undefined) throw new FlareError("dashboard/not-found", `Nobody has an account with the address ${email}.`);
  if (!maySignIn(person)) {
    throw new FlareError("dashboard/conflict", `${email} is ${person.state}; a password would not let them in.`);
  }
  const audit = new AuditLog({ now, randomBytes });
  const entry = { actor: operatorActor, subject: email, facts: { by } };
  await audit.write(db, { ...entry, action: "people.resetPassword" });
  if (removesSecondFactor) {
    await removeSecondFactor(db, person.id);
    await audit.write(db, { ...entry, action: "people.removeSecondFactor" });
  }
  const address = publicUrl?.replace(/\/+$/, "") ?? "";
  const links = new OneTimeLinks({ now, randomBytes });
  const { link, expiresAtMs } = await createResetLink({ now, links, publicUrl: () => address }, db, {
    personId: person.id,
    isMailed: false,
  });
  return { email, link, expiresAtMs };
}
