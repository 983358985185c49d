import { mkdtempSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Bootstrap } from "../client/protocol.js";
import { isAlive, type ProcessIdentity } from "../process/process-identity.js";

/**
 * What a site writes for trainers that are started by hand: a bootstrap file with FLARE's keys of an attach profile. It is
 * there for as long as the job waits for a trainer or has one. The process that it names is the one that listens.
 */
export interface AttachProfile extends Bootstrap, ProcessIdentity {
  readonly schema_version: 1;
  readonly execution_mode: "attach";
  readonly attach_id: string;
  readonly rendezvous_dir: string;
}

/** Longest path that every system takes for a UNIX socket (`sun_path` of macOS has 104 bytes with the last zero). */
const maxSocketPath = 103;

/** Where the profile of an attach id stands. */
export function profilePath(folder: string, attachId: string): string {
  return join(folder, `${attachId}.json`);
}

/** A path for the socket: in the folder, or, where its path would be too long, in a temporary folder of this user's. */
export function socketPath(folder: string, attachId: string): string {
  const path = join(folder, `${attachId}.sock`);
  return Buffer.byteLength(path) <= maxSocketPath ? path : join(mkdtempSync(join(tmpdir(), temporaryPrefix)), "socket");
}

/** Removes a profile and its socket. */
export async function removeProfile(folder: string, profile: Pick<AttachProfile, "attach_id" | "channel">): Promise<void> {
  const socket = profile.channel.replace(/^unix:/, "");
  await rm(profilePath(folder, profile.attach_id), { force: true });
  await rm(socket, { force: true });
  if (dirname(socket).startsWith(join(tmpdir(), temporaryPrefix))) await rm(dirname(socket), { recursive: true, force: true });
}

/** Removes what processes have left that are gone, killed as a rule. */
export async function clearAttachFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith(".json")) continue;
    const profile = await readProfile(join(folder, name));
    if (profile !== undefined && !isAlive(profile)) await removeProfile(folder, profile);
  }
}

/** The profile in a file, or `undefined` when it is none. */
export async function readProfile(path: string): Promise<AttachProfile | undefined> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as Partial<AttachProfile>;
    const isProfile = value.execution_mode === "attach" && typeof value.attach_id === "string" && typeof value.channel === "string";
    // An earlier version did not say when its process was started; it is gone by now.
    return isProfile && typeof value.pid === "number" ? ({ started: "", ...value } as AttachProfile) : undefined;
  } catch {
    return undefined;
  }
}

const temporaryPrefix = "flare-attach-";
