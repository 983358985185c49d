import { create } from "@bufbuild/protobuf";
import { type RenewReply, type RenewRequest, RenewRequestSchema } from "@flare-ts/contracts/wire";
import { signBytes } from "@flare-ts/provision/kit";
import { fingerprintOf } from "./project-keys.js";
import { type ChallengeComponents, meetServer, type RegisterSessionInit } from "./register-session.js";
import { renewalRequest } from "./transcript.js";

export interface RequestRenewalComponents extends ChallengeComponents {
  renew(request: RenewRequest): Promise<RenewReply>;
}

/**
 * Asks for the certificate that follows the one in `init.keys`, whose key signs the request: for it, for the server that has
 * proven itself before, and for this moment.
 *
 * @throws FlareError `auth/server-untrusted`, `auth/renewal-…` and others that the server refuses with
 */
export async function requestRenewal(components: RequestRenewalComponents, init: RegisterSessionInit, csrPem: string): Promise<RenewReply> {
  const { facts, reply } = await meetServer(components, init);
  const { certificatePem, certificate, privateKey } = init.keys;
  const signature = signBytes(renewalRequest(facts, fingerprintOf(certificate), csrPem), privateKey);
  return await components.renew(
    create(RenewRequestSchema, { challengeId: reply.challengeId, certificate: certificatePem, csrPem, signature }),
  );
}
