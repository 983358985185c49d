import { createPrivateKey, X509Certificate } from "node:crypto";
import type { TrustListDocument } from "@flare-ts/contracts";
import { signTrustList, type TrustListSigner } from "../kit/trust-list.js";
import { splitPem } from "../pki/pem.js";
import type { ProjectState, StoredRoot } from "../state/project-state.js";
import { trustedRoots } from "./trusted-roots.js";

/**
 * The state with the next trust list: which roots are trusted and who is not, signed by every key of an authority that there is,
 * those of retired roots included, so that whoever missed a change still accepts it.
 */
export function withNextTrustList(state: ProjectState, project: string, now: Date): ProjectState {
  const number = (state.trustList?.number ?? 0) + 1;
  const document: TrustListDocument = {
    project,
    number,
    issued_at_ms: now.getTime(),
    roots: [...trustedRoots(state)],
    revoked: [...state.revoked],
  };
  return { ...state, trustList: { number, text: signTrustList(document, signersOf(state)) } };
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
