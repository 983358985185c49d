import { FlareError } from "@flare-ts/contracts";
import { type AdminSession, connectAdmin } from "@flare-ts/runtime/admin";
import { allowsClear } from "../command-line/allows-clear.js";
import type { CommandContext } from "../command-line/command-context.js";
import { given } from "../command-line/given.js";
import { findAdminKit } from "./find-admin-kit.js";

/** Which admin a command is given by. */
export interface AdminOptions {
  /** The admin's startup kit, as the command line names it. */
  readonly startupKit: string | undefined;
}

/** Which admin a command is given by, and for which study. */
export interface StudyOptions extends AdminOptions {
  /** As the command line names it. @default that of FLARE_STUDY, or of everybody */
  readonly study: string | undefined;
}

/** Connects as the admin of the startup kit, does the work, and closes the connection whatever happens. */
export async function withAdmin<Result>(
  context: CommandContext,
  { startupKit }: AdminOptions,
  work: (session: AdminSession) => Promise<Result>,
): Promise<Result> {
  return await connected(context, { startupKit, study: undefined }, work);
}

/** As `withAdmin`, in the study that the command line or the environment names. */
export async function withAdminInStudy<Result>(
  context: CommandContext,
  { startupKit, study }: StudyOptions,
  work: (session: AdminSession) => Promise<Result>,
): Promise<Result> {
  return await connected(context, { startupKit, study: study ?? given(context.env["FLARE_STUDY"]) }, work);
}

async function connected<Result>(
  context: CommandContext,
  { startupKit, study }: StudyOptions,
  work: (session: AdminSession) => Promise<Result>,
): Promise<Result> {
  const kitDir = await findAdminKit(context, startupKit);
  const session = await inTime(context, (signal) => connectAdmin({ kitDir, study, isClearAllowed: allowsClear(context), signal }));
  try {
    return await work(session);
  } finally {
    session.close();
  }
}

/** @throws FlareError `transfer/unreachable` when the time that the command line gives is over before the session is open */
async function inTime(
  { connectTimeoutMs, signal }: Pick<CommandContext, "connectTimeoutMs" | "signal">,
  connect: (signal: AbortSignal) => Promise<AdminSession>,
): Promise<AdminSession> {
  if (connectTimeoutMs === undefined) return await connect(signal);
  const limit = AbortSignal.timeout(connectTimeoutMs);
  try {
    return await connect(AbortSignal.any([signal, limit]));
  } catch (reason) {
    if (!limit.aborted || signal.aborted) throw reason;
    const seconds = connectTimeoutMs / 1000;
    throw new FlareError("transfer/unreachable", `The server has not let this admin in within ${seconds} s, as --connect-timeout asks.`, {
      facts: { seconds },
      cause: reason,
    });
  }
}
