import { publicKeySha256 } from "./hashes.js";
import type { IdentityClaim } from "./identity-claim.js";
import { openRequest } from "./open-request.js";

/** What a request for a certificate says of itself, and agrees with itself in. */
export interface InspectedRequest {
  readonly requestId: string;
  readonly claim: IdentityClaim;
  /** Further names and addresses that a server asks for. */
  readonly hostNames: readonly string[];
  /** When the participant says that it asked; ISO 8601. */
  readonly createdAt: string;
  /** Lower-case hexadecimal; what `flare cert request` shows where the key was made. */
  readonly publicKeySha256: string;
}

export interface InspectRequestInit {
  /** Path of `<name>.request.zip`. */
  readonly archive: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the archive of a request as `approveRequest` does, and approves nothing: its parts agree, its key is good and signed it. Whether
 * what it says is true is for a person to make sure.
 *
 * @throws FlareError `request/incomplete`, `request/invalid`, `request/mismatch`, `certificate/request-invalid`,
 * `certificate/key-refused`, `archive/*`, `file/not-found`, `file/unreadable`.
 */
export async function inspectRequest({ archive, signal }: InspectRequestInit): Promise<InspectedRequest> {
  const { document, claim, hostNames, request } = await openRequest(archive, signal);
  return {
    requestId: document.request_id,
    claim,
    hostNames,
    createdAt: document.created_at,
    publicKeySha256: publicKeySha256(request.publicKey),
  };
}
