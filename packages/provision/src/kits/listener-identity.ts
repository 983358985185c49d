import type { KeyType } from "@flare-ts/contracts";
import { type Issuer, issueLeaf } from "../pki/certificate.js";
import type { Validity } from "../pki/certificate-content.js";
import { chainBelowRoot, withinIssuer } from "../pki/issue-from-request.js";
import { createKeyPair, privateKeyPem } from "../pki/key-pair.js";
import { type Participant, roleOf } from "../project/project.js";
import type { StoredIdentity } from "../state/project-state.js";

interface ListenerInit {
  readonly participant: Participant;
  readonly issuer: Issuer;
  readonly keyType: KeyType;
  readonly validity: Validity;
}

/**
 * Makes key and certificate by which a site or a relay with a `listening_host` is known to those that connect to it;
 * `undefined` for everybody else, and for the server, which has one of its own. As in FLARE it is new in each kit and kept
 * nowhere else. It names the participant in its own role: it is nobody's server certificate but its own.
 */
export async function createListenerIdentity({
  participant,
  issuer,
  keyType,
  validity,
}: ListenerInit): Promise<StoredIdentity | undefined> {
  if (participant.type === "server" || participant.type === "admin" || participant.listeningHost === undefined) return undefined;
  const key = await createKeyPair(keyType);
  const certificate = await issueLeaf({
    subject: { commonName: participant.name, org: participant.org, role: roleOf(participant) },
    publicKey: key.publicKey,
    validity: withinIssuer(validity, issuer),
    issuer,
    hosts: participant.listeningHost.hosts,
    purpose: "server",
  });
  return { certificatePem: certificate + chainBelowRoot(issuer), privateKeyPem: privateKeyPem(key) };
}
