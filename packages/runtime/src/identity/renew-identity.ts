import type { KeyType } from "@flare-ts/contracts";
import { FlareError } from "@flare-ts/contracts";
import { createKeyPair, createRequest, privateKeyPem } from "@flare-ts/provision/issue";
import { type ProjectTrust, readSubject } from "@flare-ts/provision/kit";
import type { ProjectKeys } from "../session/project-keys.js";
import type { RenewalOutcome } from "./certificate-renewal.js";
import { renewalDifference } from "./check-renewed.js";
import type { IdentityFolder, IdentityRequest } from "./identity-folder.js";
import type { LiveIdentity } from "./live-identity.js";

/** What came of a request for a certificate. */
export interface RenewalAnswer {
  /** The new certificate with its chain; `undefined` while the request waits to be signed. PEM. */
  readonly certificatePem: string | undefined;
}

export interface RenewIdentityComponents {
  readonly identity: LiveIdentity;
  readonly folder: IdentityFolder;
  readonly trust: ProjectTrust;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Sends a request, signed with the identity in force, and gives the answer. */
  readonly ask: (csrPem: string) => Promise<RenewalAnswer>;
  readonly readKeys: (identity: { readonly certificatePem: string; readonly privateKeyPem: string }) => ProjectKeys;
}

/**
 * Trades the certificate in force for the next one, for a key of its own: verifies what comes, writes it down, and puts it in
 * force. A request that has to wait is kept with its key, and asked with again.
 *
 * @throws FlareError `auth/renewal-untrusted`, `file/unwritable`, and what `ask` throws; the old certificate stays in force.
 */
export async function renewIdentity(components: RenewIdentityComponents): Promise<RenewalOutcome> {
  const { identity, folder, ask, readKeys } = components;
  const request = await folder.pending(() => makeRequest(identity.current));
  let answer: RenewalAnswer;
  try {
    answer = await ask(request.csrPem);
  } catch (reason) {
    // The next one begins afresh: whatever was wrong may be wrong with the request.
    if (FlareError.from(reason).code === "auth/renewal-refused") await folder.discardPending();
    throw reason;
  }
  const { certificatePem } = answer;
  if (certificatePem === undefined) return "pending";
  try {
    checkAnswer(components, certificatePem, request);
  } catch (reason) {
    await folder.discardPending();
    throw reason;
  }
  await folder.adopt(certificatePem, request);
  identity.replace(readKeys({ certificatePem, privateKeyPem: request.privateKeyPem }));
  return "renewed";
}

/** Makes a key of the kind that a participant has, and a request for the same subject. */
export async function makeRequest({ certificate, privateKey }: Pick<ProjectKeys, "certificate" | "privateKey">): Promise<IdentityRequest> {
  const { commonName, org, role } = readSubject(certificate);
  const keyPair = await createKeyPair(keyTypeOf(privateKey));
  return { csrPem: await createRequest({ subject: { commonName, org, role }, keyPair }), privateKeyPem: privateKeyPem(keyPair) };
}

function checkAnswer({ identity, trust, now, readKeys }: RenewIdentityComponents, certificatePem: string, request: IdentityRequest): void {
  const untrusted = (why: string): FlareError =>
    new FlareError("auth/renewal-untrusted", `The server's answer to a renewal cannot be used: ${why}`, { facts: { why } });
  const verdict = trust.verify(certificatePem, { nowMs: now() });
  if (!verdict.ok) throw untrusted(verdict.message);
  const difference = renewalDifference(identity.certificate, verdict.certificate);
  if (difference !== undefined) throw untrusted(difference);
  const { certificate, privateKey } = readKeys({ certificatePem, privateKeyPem: request.privateKeyPem });
  if (!certificate.checkPrivateKey(privateKey)) throw untrusted("it is for another key than the one requested");
}

function keyTypeOf({ asymmetricKeyType, asymmetricKeyDetails }: ProjectKeys["privateKey"]): KeyType {
  if (asymmetricKeyType === "ec") return "p256";
  return (asymmetricKeyDetails?.modulusLength ?? 0) > 2048 ? "rsa-3072" : "rsa-2048";
}
