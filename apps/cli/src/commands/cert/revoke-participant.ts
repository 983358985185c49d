import { resolve } from "node:path";
import type { RevocationReason } from "@flare-ts/contracts";
import { workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import type { HolderOptions } from "./holder-options.js";
import { pushAndTell } from "./push-trust-list.js";

/** What `flare cert revoke` is given. */
export interface RevokeParticipantOptions extends HolderOptions {
  readonly participant: string;
  readonly reason: RevocationReason;
  readonly isForced: boolean;
}

/** Revokes a participant, and tells the server. */
export async function revokeParticipantCommand(context: CommandContext, options: RevokeParticipantOptions): Promise<CommandOutput> {
  const { participant, reason, isForced, project } = options;
  const { revokeParticipant } = await import("@flare-ts/provision");
  const revoked = await revokeParticipant({
    workspace: resolve(context.cwd, options.workspace),
    project,
    caKey: workspaceCaKey(context, { ...options, makesKits: false }),
    name: participant,
    reason,
    isForced,
  });
  const { data, text, hints } = await pushAndTell(context, options, revoked);
  return {
    data: { participant, reason, serials: [...revoked.serials], revoked_at: revoked.revokedAt.toISOString(), ...data },
    text: [`Revoked ${participant} (${reason}).`, ...text],
    hints,
  };
}
