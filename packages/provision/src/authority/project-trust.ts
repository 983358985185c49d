import { X509Certificate } from "node:crypto";
import type { Revocation } from "@flare-ts/contracts";
import { fingerprintText } from "../requests/fingerprint-text.js";
import { readState } from "../state/project-state.js";
import { findProjectFolder, type ProjectFolderInit } from "./project-folder.js";

/** What a project's workspace says of who is trusted. */
export interface ProjectTrustStatus {
  /** Fingerprint of the root in force, as participants are told it. */
  readonly rootFingerprint: string;
  readonly rootValidTo: Date;
  /** Another root is still trusted beside it. */
  readonly isRollingOver: boolean;
  readonly revoked: readonly Revocation[];
  /** In force; `undefined` before anything was revoked and no root replaced. */
  readonly trustList: { readonly number: number; readonly text: string } | undefined;
}

/**
 * Reads what a workspace says of who is trusted, without opening a private key; `undefined` for a project that has no CA yet.
 *
 * @throws FlareError `project/not-provisioned`, `project/state-invalid`.
 */
export async function readProjectTrust(init: ProjectFolderInit): Promise<ProjectTrustStatus | undefined> {
  const projectDir = await findProjectFolder(init);
  const { state } = await readState(projectDir, { open: async (stored) => await Promise.resolve(stored) });
  if (state === undefined) return undefined;
  const root = new X509Certificate(state.root.certificatePem);
  return {
    rootFingerprint: fingerprintText(root),
    rootValidTo: root.validToDate,
    isRollingOver: state.formerRoots.length > 0,
    revoked: state.revoked,
    trustList: state.trustList,
  };
}
