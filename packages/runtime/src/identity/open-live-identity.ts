import type { Kit, ProjectTrust } from "@flare-ts/provision/kit";
import { readProjectKeys } from "../session/project-keys.js";
import { IdentityFolder } from "./identity-folder.js";
import { LiveIdentity } from "./live-identity.js";
import { openIdentity } from "./open-identity.js";

export interface OpenLiveIdentityInit {
  readonly kit: Kit;
  /** Folder of what the participant keeps. */
  readonly workspace: string;
  readonly trust: ProjectTrust;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Hears of a renewed identity that is there and cannot be used. */
  readonly warn: (message: string, fields: { readonly reason: string; readonly folder?: string }) => void;
}

/** Who a participant is at its start, and where what it gets by renewal is kept. */
export interface OpenedIdentity {
  readonly identity: LiveIdentity;
  readonly folder: IdentityFolder;
}

/**
 * Opens a participant's identity: that of its kit, or the newest that it got by renewal.
 *
 * @throws FlareError as `openIdentity`
 */
export async function openLiveIdentity(init: OpenLiveIdentityInit): Promise<OpenedIdentity> {
  const { kit, workspace, trust } = init;
  const folder = IdentityFolder.ofKit(kit, workspace);
  const stored = await openIdentity({ ...init, folder });
  return { identity: new LiveIdentity({ keys: readProjectKeys(stored, trust) }), folder };
}
