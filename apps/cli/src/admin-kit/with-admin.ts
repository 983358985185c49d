import { type AdminSession, connectAdmin } from "@flare-ts/runtime/admin";
import { allowsClear } from "../command-line/allows-clear.js";
import type { CommandContext } from "../command-line/command-context.js";
import { findAdminKit } from "./find-admin-kit.js";

/** Connects as the admin of the startup kit, does the work, and closes the connection whatever happens. */
export async function withAdmin<Result>(
  context: CommandContext,
  startupKit: string | undefined,
  work: (session: AdminSession) => Promise<Result>,
): Promise<Result> {
  const kitDir = await findAdminKit(context, startupKit);
  const session = await connectAdmin({ kitDir, isClearAllowed: allowsClear(context), signal: context.signal });
  try {
    return await work(session);
  } finally {
    session.close();
  }
}
