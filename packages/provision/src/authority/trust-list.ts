import { createPrivateKey, X509Certificate } from "node:crypto";
import { FlareError, limits, type TrustListDocument } from "@flare-ts/contracts";
import { signTrustList, type TrustListSigner } from "../kit/trust-list.js";
import { splitPem } from "../pki/pem.js";
import type { ProjectState, StoredRoot } from "../state/project-state.js";
import { standingRevocations } from "./standing-revocations.js";
import { trustedRoots } from "./trusted-roots.js";

/** Kept free by revocations, so that a list which is full can still say that another root takes over. */
const rolloverBytes = 128 * 1024;

/**
 * The state with the next trust list: which roots are trusted and who is not, signed by every key of an authority that there is,
 * those of retired roots included, so that whoever missed a change still accepts it.
 *
 * @throws FlareError `project/trust-list-full` where it would be one that everybody refuses
 */
export function withNextTrustList(state: ProjectState, project: string, now: Date, why: "revocation" | "roots"): ProjectState {
  const number = (state.trustList?.number ?? 0) + 1;
  const document: TrustListDocument = {
    project,
    number,
    issued_at_ms: now.getTime(),
    roots: [...trustedRoots(state)],
    revoked: [...standingRevocations(state, now)],
  };
  const text = signTrustList(document, signersOf(state));
  const limit = limits.trustListBytes - (why === "revocation" ? rolloverBytes : 0);
  if (text.length > limit) {
    throw new FlareError(
      "project/trust-list-full",
      `The trust list of '${project}' with ${document.revoked.length} revocations would have ${text.length} bytes; it may have ${limit}.`,
      { facts: { revocations: document.revoked.length, bytes: text.length, limit } },
    );
  }
  return { ...state, trustList: { number, text } };
}

function signersOf({ root, authority, formerRoots, retiredRoots }: ProjectState): TrustListSigner[] {
  const own = authority === undefined ? [] : [authority];
  return [...own, root, ...formerRoots, ...retiredRoots].flatMap(signerOf);
}

function signerOf({ certificatePem, privateKeyPem }: StoredRoot): TrustListSigner[] {
  if (privateKeyPem === undefined) return [];
  const [own = "", ...rest] = splitPem("CERTIFICATE", certificatePem);
  return [{ certificate: new X509Certificate(own), privateKey: createPrivateKey(privateKeyPem), intermediatesPem: rest.join("") }];
}
