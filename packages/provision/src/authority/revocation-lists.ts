import { createPrivateKey, X509Certificate } from "node:crypto";
import { issueRevocationList } from "../pki/revocation-list.js";
import type { RevokedSerial } from "../pki/revocation-list-content.js";
import type { ProjectState, StoredRoot } from "../state/project-state.js";
import { standingRevocations } from "./standing-revocations.js";

/**
 * A revocation list (RFC 5280) of each authority whose key is in the workspace, for other tools; PEM, one after the other. Each is
 * good until its authority ends, because the next one is made at the next revocation and not at a fixed time.
 */
export async function revocationLists(state: ProjectState, now: Date): Promise<string> {
  const { root, authority, formerRoots, serverIssuer, trustList } = state;
  const serials = new Map<string, RevokedSerial>();
  for (const { serials: listed, revoked_at_ms, reason } of standingRevocations(state, now)) {
    for (const serialNumber of listed) serials.set(serialNumber, { serialNumber, at: new Date(revoked_at_ms), reason });
  }
  const issuers = [authority, root, ...formerRoots, serverIssuer].filter((one) => one !== undefined).flatMap(withKey);
  const lists = await Promise.all(
    issuers.map(async (issuer) => {
      const { validToDate } = new X509Certificate(issuer.certificatePem);
      const number = trustList?.number ?? 1;
      return await issueRevocationList({ issuer, number, from: now, nextUpdate: validToDate, revoked: [...serials.values()] });
    }),
  );
  return lists.join("");
}

function withKey({
  certificatePem,
  privateKeyPem,
}: StoredRoot): { certificatePem: string; privateKey: ReturnType<typeof createPrivateKey> }[] {
  return privateKeyPem === undefined ? [] : [{ certificatePem, privateKey: createPrivateKey(privateKeyPem) }];
}
