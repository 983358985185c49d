import { basename, dirname, join, resolve } from "node:path";
import { FlareError, type Json } from "@flare-ts/contracts";
import { findProjectFolder, type PublishedTrust, readProjectTrust } from "@flare-ts/provision";
import { readKit } from "@flare-ts/provision/kit";
import type { TrustUpdate } from "@flare-ts/runtime/admin";
import { findAdminKit } from "../../admin-kit/find-admin-kit.js";
import { withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import type { HolderOptions } from "./holder-options.js";

/** What `flare cert push` is given. */
export interface PushTrustListOptions {
  readonly workspace: string;
  readonly project: string | undefined;
  readonly startupKit: string | undefined;
}

/** What was done with a trust list, as parts of a command's output. */
export interface PushOutcome {
  readonly data: { readonly [key: string]: Json };
  readonly text: readonly string[];
  readonly hints: readonly string[];
}

/**
 * Gives the server the trust list of a workspace.
 *
 * @throws FlareError `project/no-trust-list`, and as every command of an admin.
 */
export async function pushTrustListCommand(context: CommandContext, options: PushTrustListOptions): Promise<CommandOutput> {
  const projectDir = await findProjectFolder({ workspace: resolve(context.cwd, options.workspace), project: options.project });
  const file = join(projectDir, "state", "trust.json");
  // By what the workspace remembers: a command that was killed may not have come to write the newest list out.
  const trustList = (await readProjectTrust({ workspace: dirname(projectDir), project: basename(projectDir) }))?.trustList;
  if (trustList === undefined) {
    throw new FlareError("project/no-trust-list", "There is no trust list: nobody was revoked, and no root replaced.", { facts: { file } });
  }
  const update = await withAdmin(context, options, (session) => session.updateTrust(trustList.text, context.signal));
  return { data: { trust_list: file, ...updateData(update) }, text: updateLines(update) };
}

/**
 * Pushes a trust list that was just made to the server, when there is an admin's kit of the project; otherwise says how to hand it
 * over. When the server cannot be told, the list stays in its file.
 *
 * @throws FlareError as every command of an admin; the message says that the list is made and where it is.
 */
export async function pushAndTell(context: CommandContext, options: HolderOptions, trust: PublishedTrust): Promise<PushOutcome> {
  const { number, trustListFile, revocationListFile, trustListText } = trust;
  const data = { number, trust_list: trustListFile, revocation_list: revocationListFile };
  const kitDir = options.isPushed ? await findKitOfProject(context, options.startupKit, projectOf(trustListText)) : undefined;
  if (kitDir === undefined) {
    return {
      data: { ...data, is_pushed: false },
      text: [`Trust list ${number} is in ${trustListFile}; nobody was told of it.`],
      hints: [
        "Next: flare cert push --startup-kit <kit of a project_admin>, or put the file into identity/trust.json in the server's workspace and start the server anew.",
      ],
    };
  }
  try {
    const update = await withAdmin(context, { startupKit: kitDir }, (session) => session.updateTrust(trustListText, context.signal));
    return { data: { ...data, ...updateData(update) }, text: updateLines(update), hints: [] };
  } catch (cause) {
    const { code, message, facts } = FlareError.from(cause);
    throw new FlareError(code, `Trust list ${number} is made (${trustListFile}), but the server could not be told: ${message}`, {
      cause,
      facts,
    });
  }
}

function updateData({ number, outcome, revoked, sessions, acknowledged, waiting }: TrustUpdate): { readonly [key: string]: Json } {
  return {
    is_pushed: true,
    number,
    is_new: outcome === "accepted",
    revoked: [...revoked],
    ended_sessions: sessions.map(({ name, address }) => ({ name, address })),
    acknowledged: [...acknowledged],
    waiting: [...waiting],
  };
}

function updateLines({ number, sessions, acknowledged, waiting }: TrustUpdate): string[] {
  return [
    `The server has trust list ${number}.`,
    ...sessions.map(({ name, address }) => `Cut off: ${name} at ${address}.`),
    ...(acknowledged.length === 0 ? [] : [`Sites that have it: ${acknowledged.join(", ")}.`]),
    ...(waiting.length === 0 ? [] : [`Sites that did not answer yet: ${waiting.join(", ")}.`]),
  ];
}

/** The admin's kit that was named or found; one that was found by itself counts only when it is of the project. */
export async function findKitOfProject(context: CommandContext, flag: string | undefined, project: string): Promise<string | undefined> {
  if (flag !== undefined) return await findAdminKit(context, flag);
  try {
    const dir = await findAdminKit(context, undefined);
    return (await readKit(dir)).project === project ? dir : undefined;
  } catch (error) {
    if (error instanceof FlareError && error.code === "cli/no-startup-kit") return undefined;
    throw error;
  }
}

function projectOf(trustListText: string): string {
  const { document } = JSON.parse(trustListText) as { document: string };
  return (JSON.parse(Buffer.from(document, "base64").toString()) as { project: string }).project;
}
