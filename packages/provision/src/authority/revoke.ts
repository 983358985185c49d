import { FlareError, nearestWord, type RevocationReason } from "@flare-ts/contracts";
import { issuedEntry } from "../pki/project-identities.js";
import type { ProjectState } from "../state/project-state.js";
import { type ChangeContext, type ChangeInit, changeState, type PublishedTrust } from "./change-state.js";
import { findProjectFolder, type ProjectFolderInit } from "./project-folder.js";
import { provisioned } from "./provisioned.js";
import { withNextTrustList } from "./trust-list.js";

export interface RevokeInit extends ProjectFolderInit, ChangeInit {
  /** Name of the participant. */
  readonly name: string;
  readonly reason: RevocationReason;
  /** Revokes a name that the workspace knows nothing of: somebody whose certificate was approved elsewhere. @default false */
  readonly isForced?: boolean;
}

export interface RevokeResult extends PublishedTrust {
  /** Serial numbers of the name's certificates that are known; others count no more either, by name and date. */
  readonly serials: readonly string[];
  readonly revokedAt: Date;
}

/**
 * Takes back every certificate of a participant, for good: those that are known by their serial number, and by name all that began
 * up to now, renewed ones included. With a server goes the intermediate that it issues with. The next trust list says so, in
 * `state/trust.json`; it counts where it is handed to.
 *
 * @throws FlareError `project/not-provisioned`, `project/unknown-participant`, `project/passphrase-missing`,
 * `project/passphrase-wrong`, `project/state-invalid`, `project/locked`, `project/trust-list-full`, `file/unwritable`.
 */
export async function revokeParticipant(init: RevokeInit): Promise<RevokeResult> {
  const { name, reason, isForced = false } = init;
  const { result, trust } = await changeState(await findProjectFolder(init), init, async (stored, context) => {
    const state = provisioned(stored, context);
    const serials = knownSerials(state, name);
    if (serials.length === 0 && !isForced) throw unknown(name, [...state.participants.keys()]);
    const next = withRevocation(state, { name, reason }, context);
    return await Promise.resolve({ ...stored, state: next, result: { serials, revokedAt: context.now } });
  });
  if (trust === undefined) throw new TypeError("a revocation made no trust list");
  return { ...result, ...trust };
}

/** Serial numbers of the certificates of a name that are known, its issuing certificate included. */
export function knownSerials(state: ProjectState, name: string): readonly string[] {
  const own = state.participants.get(name);
  const entries = [...(own === undefined ? [] : [issuedEntry(name, own.certificatePem)]), ...state.issued];
  return [...new Set(entries.filter((entry) => entry.name === name).map(({ serial }) => serial))];
}

/** The state in which every certificate of a name is taken back, with the trust list that says so. */
export function withRevocation(
  state: ProjectState,
  { name, reason }: { readonly name: string; readonly reason: RevocationReason },
  { project, now }: Pick<ChangeContext, "project" | "now">,
): ProjectState {
  const revocation = { name, serials: [...knownSerials(state, name)], revoked_at_ms: now.getTime(), reason };
  return withNextTrustList({ ...state, revoked: [...state.revoked, revocation] }, project, now, "revocation");
}

function unknown(name: string, known: readonly string[]): FlareError {
  const near = nearestWord(name, known);
  return new FlareError(
    "project/unknown-participant",
    `No certificate was given to '${name}'${near === undefined ? "." : `; did you mean '${near}'?`}`,
    { facts: { name } },
  );
}
