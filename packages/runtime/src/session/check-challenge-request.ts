import { FlareError } from "@flare-ts/contracts";
import type { ChallengeRequest } from "@flare-ts/contracts/wire";
import { capPeerText, quotePeerText } from "./peer-text.js";
import { protocolVersion } from "./protocol-version.js";

/**
 * Checks what can be checked of a registration before anything is proven.
 *
 * @throws FlareError `auth/protocol-version`, `auth/wrong-project`, `transfer/protocol`
 */
export function checkChallengeRequest(request: ChallengeRequest, project: string): void {
  if (request.protocolVersion !== protocolVersion) {
    const message = `The participant speaks version ${request.protocolVersion} of the protocol, this server ${protocolVersion}.`;
    throw new FlareError("auth/protocol-version", message, { facts: { theirs: request.protocolVersion, ours: protocolVersion } });
  }
  if (request.project !== project) {
    const message = `The participant is of project ${quotePeerText(request.project)}, this server of ${quotePeerText(project)}.`;
    throw new FlareError("auth/wrong-project", message, { facts: { theirs: capPeerText(request.project), ours: project } });
  }
  const { byteLength } = request.clientNonce;
  if (byteLength < minNonceBytes || byteLength > maxNonceBytes || request.identity.length > maxNameChars) {
    throw new FlareError("transfer/protocol", "The registration's name or nonce has a size that the protocol does not allow.");
  }
}

const minNonceBytes = 16;
const maxNonceBytes = 64;
const maxNameChars = 320;
