import { X509Certificate } from "node:crypto";
import { signTrustList } from "../src/kit/trust-list.js";
import { type WriteKitsInit, writeKits } from "../src/kits/write-kits.js";
import { issueIntermediate, issueLeaf, issueRoot } from "../src/pki/certificate.js";
import { createKeyPair, privateKeyPem } from "../src/pki/key-pair.js";
import { type Project, roleOf } from "../src/project/project.js";

const hourMs = 60 * 60 * 1000;

/**
 * Writes the kits of a project with keys on a curve, which are quick to make, and answers the root. On request they are issued by
 * an intermediate, which the server gets too, and hold a trust list.
 */
export async function writeKitsOf(
  project: Project,
  dir: string,
  { isIssuedBelow = false, ...rest }: { readonly isIssuedBelow?: boolean } & Partial<Pick<WriteKitsInit, "now">> = {},
): Promise<{ readonly rootPem: string }> {
  const now = rest.now ?? new Date();
  const validity = { from: new Date(now.getTime() - hourMs), to: new Date(now.getTime() + hourMs) };
  const root = await createKeyPair("p256");
  const rootPem = await issueRoot({ subject: { commonName: project.name }, ...root, validity });
  let issuer = { certificatePem: rootPem, privateKey: root.privateKey };
  let below = "";
  if (isIssuedBelow) {
    const key = await createKeyPair("p256");
    const mayIssue = ["client", "server", "relay", "admin"];
    below = await issueIntermediate({ commonName: `${project.name} issuer`, mayIssue, publicKey: key.publicKey, validity, issuer });
    issuer = { certificatePem: below, privateKey: key.privateKey };
  }
  const identities = await Promise.all(
    project.participants.map(async (participant) => {
      const key = await createKeyPair("p256");
      const certificatePem = await issueLeaf({
        subject: { commonName: participant.name, org: participant.org, role: roleOf(participant) },
        publicKey: key.publicKey,
        validity,
        issuer,
        hosts: participant.type === "server" ? participant.hosts : [participant.name],
        purpose: participant.type === "server" ? "server" : "client",
      });
      return [participant.name, { certificatePem: certificatePem + below, privateKeyPem: privateKeyPem(key) }] as const;
    }),
  );
  const list = { project: project.name, number: 1, issued_at_ms: now.getTime(), roots: [rootPem], revoked: [] };
  const signer = { certificate: new X509Certificate(rootPem), privateKey: root.privateKey };
  await writeKits({
    ...(isIssuedBelow
      ? { issuing: { certificatePem: below, privateKeyPem: "a key\n" }, trustListText: signTrustList(list, [signer]) }
      : {}),
    project,
    dir,
    identities: new Map(identities),
    rootCertificatePem: rootPem,
    rootKey: root.privateKey,
    issuer,
    now,
    signal: undefined,
    ...rest,
  });
  return { rootPem };
}
