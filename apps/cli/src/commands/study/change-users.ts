import { adminNameSchema, FlareError } from "@flare-ts/contracts";
import { type AdminOptions, withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";

/** What commands are given that name a user of a study. */
export interface StudyUserOptions extends AdminOptions {
  readonly name: string;
  readonly user: string;
}

/** Adds a user to a study. @throws FlareError `cli/invalid-arguments` */
export async function addUser(context: CommandContext, { name, user, startupKit }: StudyUserOptions): Promise<CommandOutput> {
  requireAdminName(user);
  await withAdmin(context, { startupKit }, (session) => session.studies.addUser(name, user, context.signal));
  return { data: { study: name, user }, text: [`${user} is a user of ${name}.`] };
}

/** Removes a user from a study; the user's jobs stay. @throws FlareError `cli/invalid-arguments` */
export async function removeUser(context: CommandContext, { name, user, startupKit }: StudyUserOptions): Promise<CommandOutput> {
  requireAdminName(user);
  await withAdmin(context, { startupKit }, (session) => session.studies.removeUser(name, user, context.signal));
  return { data: { study: name, user, removed: true }, text: [`${user} is no user of ${name} any more.`] };
}

function requireAdminName(text: string): void {
  if (adminNameSchema.safeParse(text).success) return;
  throw new FlareError("cli/invalid-arguments", `'${text.slice(0, 120)}' is not the e-mail address of an admin.`);
}
