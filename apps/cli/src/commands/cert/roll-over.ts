import { basename, resolve } from "node:path";
import type { KeyType } from "@flare-ts/contracts";
import { withAdmin } from "../../admin-kit/with-admin.js";
import { workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import type { HolderOptions } from "./holder-options.js";
import { findKitOfProject, pushAndTell } from "./push-trust-list.js";

/** What `flare cert rollover start` is given. */
export interface StartRolloverOptions extends HolderOptions {
  readonly keyType: KeyType | undefined;
}

/** What `flare cert rollover finish` is given. */
export interface FinishRolloverOptions extends HolderOptions {
  readonly isForced: boolean;
}

/** Makes a new root beside the old one, and tells the server that both are trusted. */
export async function startRolloverCommand(context: CommandContext, options: StartRolloverOptions): Promise<CommandOutput> {
  const { startRollover } = await import("@flare-ts/provision");
  const trust = await startRollover({ ...placeOf(context, options), keyType: options.keyType });
  const { data, text, hints } = await pushAndTell(context, options, trust);
  return {
    data,
    text: ["A new root stands beside the old one; certificates come from the new one from now on.", ...text],
    hints: [
      ...hints,
      "Then: once everybody has the list, sign what the server asks for (flare cert renewals), provision again, and end with flare cert rollover finish. Where nobody renews, hand out the new kits, that of the server last.",
    ],
  };
}

/** Stops trusting the old root, and tells the server. */
export async function finishRolloverCommand(context: CommandContext, options: FinishRolloverOptions): Promise<CommandOutput> {
  const { finishRollover } = await import("@flare-ts/provision");
  // Who goes on with the old root would be cut off by the list; what can be seen of that is seen before anything changes.
  const kitDir = options.isPushed && !options.isForced ? await adminKitOf(context, options) : undefined;
  const inUse =
    kitDir === undefined
      ? []
      : await withAdmin(context, { startupKit: kitDir }, async (session) => await session.certificatesInUse(context.signal));
  const trust = await finishRollover({ ...placeOf(context, options), isForced: options.isForced, inUse });
  const { data, text, hints } = await pushAndTell(context, options, trust);
  return { data, text: ["The old root is trusted no more.", ...text], hints };
}

async function adminKitOf(context: CommandContext, { workspace, project, startupKit }: HolderOptions): Promise<string | undefined> {
  const { findProjectFolder } = await import("@flare-ts/provision");
  const projectDir = await findProjectFolder({ workspace: resolve(context.cwd, workspace), project });
  return await findKitOfProject(context, startupKit, basename(projectDir));
}

function placeOf(context: CommandContext, options: HolderOptions) {
  return {
    workspace: resolve(context.cwd, options.workspace),
    project: options.project,
    caKey: workspaceCaKey(context, { ...options, makesKits: false }),
  };
}
