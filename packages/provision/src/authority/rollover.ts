import { X509Certificate } from "node:crypto";
import type { KeyType } from "@flare-ts/contracts";
import { FlareError } from "@flare-ts/contracts";
import { Revocations } from "../kit/revocations.js";
import { issueRoot } from "../pki/certificate.js";
import { isIssuedBy } from "../pki/is-issued-by.js";
import { createKeyPair, privateKeyPem } from "../pki/key-pair.js";
import { backdateMs, validityFrom } from "../pki/lifetime.js";
import { splitPem } from "../pki/pem.js";
import type { ProjectState, StoredIdentity, StoredRoot } from "../state/project-state.js";
import { type ChangeInit, changeState, type PublishedTrust } from "./change-state.js";
import { findProjectFolder, type ProjectFolderInit } from "./project-folder.js";
import { provisioned } from "./provisioned.js";
import { withNextTrustList } from "./trust-list.js";

export interface StartRolloverInit extends ProjectFolderInit, ChangeInit {
  /** Kind of the new root's key. @default what the project file said last */
  readonly keyType?: KeyType | undefined;
}

/** A certificate that a participant was seen to use. */
export interface CertificateInUse {
  readonly name: string;
  /** The certificate, and those between it and a root; PEM. */
  readonly chainPem: string;
}

export interface FinishRolloverInit extends ProjectFolderInit, ChangeInit {
  /** Certificates in use, which may be older than those of the workspace. @default none */
  readonly inUse?: readonly CertificateInUse[];
  /** Goes on although participants have certificates of the old root only. @default false */
  readonly isForced?: boolean;
}

const mostRetired = 4;

/**
 * Makes a new root beside the old one, which lasts as long as the old one was to. From now on both are trusted, everything is issued
 * by the new one, and the trust list with both is signed by both.
 *
 * @throws FlareError `project/rollover-under-way`, and what `revokeParticipant` throws for the workspace.
 */
export async function startRollover({ keyType, ...init }: StartRolloverInit): Promise<PublishedTrust> {
  const { trust } = await changeState(await findProjectFolder(init), init, async (stored, context) => {
    const state = provisioned(stored, context);
    const { validFromDate, validToDate } = new X509Certificate(state.root.certificatePem);
    const [fromMs, lifetimeMs] = [validFromDate.getTime(), Math.max(validToDate.getTime() - validFromDate.getTime() - backdateMs, 0)];
    const keyPair = await createKeyPair(keyType ?? state.settings?.keyType ?? "rsa-2048");
    const certificatePem = await issueRoot({
      subject: { commonName: context.project },
      ...keyPair,
      validity: validityFrom(context.now, lifetimeMs, fromMs),
    });
    const root = { certificatePem, privateKeyPem: privateKeyPem(keyPair) };
    return { ...stored, state: replaceRoot(state, { root, authority: undefined }, context), result: undefined };
  });
  return published(trust);
}

/**
 * Ends a rollover: the old root is trusted no more. Its key signs trust lists from now on, nothing else, so that whoever was away
 * all the time still learns of the new root.
 *
 * @throws FlareError `project/no-rollover`, `project/rollover-not-done`, and what `revokeParticipant` throws for the workspace.
 */
export async function finishRollover({ isForced = false, inUse = [], ...init }: FinishRolloverInit): Promise<PublishedTrust> {
  const { trust } = await changeState(await findProjectFolder(init), init, async (stored, context) => {
    const state = provisioned(stored, context);
    if (state.formerRoots.length === 0) throw new FlareError("project/no-rollover", "No root is taking over from another.");
    const left = isForced ? [] : stillBelow(state, context.now);
    if (left.length > 0) {
      throw new FlareError("project/rollover-not-done", `Certificates in this workspace come from the old root: ${left.join(", ")}.`, {
        facts: { participants: left },
      });
    }
    const behind = isForced ? [] : inUse.filter(({ chainPem }) => !isBelow(chainPem, state)).map(({ name }) => name);
    if (behind.length > 0) {
      throw new FlareError("project/rollover-not-done", `Not everybody uses a certificate of the new root yet: ${behind.join(", ")}.`, {
        facts: { participants: behind },
      });
    }
    const retiredRoots = [...state.formerRoots, ...state.retiredRoots].slice(0, mostRetired);
    const next = withNextTrustList({ ...state, formerRoots: [], retiredRoots }, context.project, context.now, "roots");
    return await Promise.resolve({ ...stored, state: next, result: undefined });
  });
  return published(trust);
}

/**
 * The state with another root, the old one still trusted beside it, and the trust list that says so.
 *
 * @throws FlareError `project/rollover-under-way`
 */
export function replaceRoot(
  state: ProjectState,
  next: { readonly root: StoredRoot; readonly authority: StoredIdentity | undefined },
  { project, now }: { readonly project: string; readonly now: Date },
): ProjectState {
  if (state.formerRoots.length > 0) throw new FlareError("project/rollover-under-way", "One root is taking over from another already.");
  return withNextTrustList({ ...state, ...next, formerRoots: [state.root] }, project, now, "roots");
}

/** Participants whose certificate in the workspace is good, and was not issued below the root in force. */
function stillBelow({ root, authority, participants, revoked }: ProjectState, now: Date): string[] {
  const revocations = new Revocations(revoked);
  const issuer = new X509Certificate((authority ?? root).certificatePem);
  return [...participants].flatMap(([name, { certificatePem }]) => {
    const certificate = new X509Certificate(certificatePem);
    const isOver = certificate.validToDate <= now || revocations.find(certificate) !== undefined;
    return isOver || isIssuedBy(certificate, issuer) ? [] : [name];
  });
}

function isBelow(chainPem: string, { root, authority }: ProjectState): boolean {
  const anchors = [root, ...(authority === undefined ? [] : [authority])].map(({ certificatePem }) => new X509Certificate(certificatePem));
  return splitPem("CERTIFICATE", chainPem).some((pem) => {
    const certificate = new X509Certificate(pem);
    return anchors.some((anchor) => certificate.checkIssued(anchor) && certificate.verify(anchor.publicKey));
  });
}

function published(trust: PublishedTrust | undefined): PublishedTrust {
  if (trust === undefined) throw new TypeError("a rollover made no trust list");
  return trust;
}
