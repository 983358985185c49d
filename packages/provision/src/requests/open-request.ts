import {
  type CertificateRequestDocument,
  certificateRequestSchema,
  FlareError,
  participantFileSchema,
  readDocument,
} from "@flare-ts/contracts";
import { type CertificateRequest, readRequest } from "../pki/read-request.js";
import { publicKeySha256, sha256 } from "./hashes.js";
import { claimDifference, claimOfDocument, claimOfFile, type IdentityClaim, isConsistent } from "./identity-claim.js";
import { readExchange } from "./read-exchange.js";
import { hostNamesOf } from "./site-file.js";

/** A request whose parts all say the same. */
export interface OpenRequest {
  readonly document: CertificateRequestDocument;
  readonly claim: IdentityClaim;
  /** Further names and addresses of a server. */
  readonly hostNames: readonly string[];
  readonly request: CertificateRequest;
  readonly csrPem: string;
  readonly siteFile: Uint8Array;
}

/**
 * Opens the archive of a request and makes sure that its parts agree: name, organisation, kind and role in the certificate
 * request, `request.json` and `site.yaml`, and every hash. It says nothing of whether they are true.
 *
 * @throws FlareError `request/incomplete`, `request/invalid`, `request/mismatch`, `certificate/request-invalid`,
 * `certificate/key-refused`, `archive/*`, `file/not-found`, `file/unreadable`.
 */
export async function openRequest(file: string, signal?: AbortSignal): Promise<OpenRequest> {
  const exchange = await readExchange({ file, names: ["request.json", "site.yaml"], suffix: ".csr", signal });
  const read = { code: "request/invalid" } as const;
  const { value: document } = readDocument({
    ...read,
    text: exchange.text("request.json"),
    file: `${file}: request.json`,
    schema: certificateRequestSchema,
  });
  const site = readDocument({ ...read, text: exchange.text("site.yaml"), file: `${file}: site.yaml`, schema: participantFileSchema });
  const claim = claimOfDocument(document);
  if (!isConsistent(document)) throw mismatch(file, `kind ${document.kind} and role ${document.cert_type} do not go together`);
  const difference = claimDifference(claim, claimOfFile(site.value));
  if (difference !== undefined) throw mismatch(file, `request.json and site.yaml say ${difference}`);
  if (exchange.namedFile !== `${claim.name}.csr`) throw mismatch(file, `it is for ${claim.name}, but holds ${exchange.namedFile}`);
  const csrPem = exchange.text(exchange.namedFile);
  const request = readRequest(csrPem);
  const { commonName, org, role } = request.subject;
  const named = claimDifference(claim, { ...claim, name: commonName, org, certificateType: role as IdentityClaim["certificateType"] });
  if (named !== undefined) throw mismatch(file, `request.json and the certificate request say ${named}`);
  const hashes = {
    csr_sha256: sha256(exchange.bytes(exchange.namedFile)),
    public_key_sha256: publicKeySha256(request.publicKey),
    site_yaml_sha256: sha256(exchange.bytes("site.yaml")),
  };
  for (const [key, found] of Object.entries(hashes)) {
    const said = document[key as keyof typeof hashes];
    if (said !== found) throw mismatch(file, `${key} in request.json is ${said}, but it is ${found}`);
  }
  const [participant] = site.value.participants;
  const hostNames = participant.type === "server" ? hostNamesOf(participant) : [];
  return { document, claim, hostNames, request, csrPem, siteFile: exchange.bytes("site.yaml") };
}

function mismatch(file: string, what: string): FlareError {
  return new FlareError("request/mismatch", `${file}: ${what}.`, { facts: { file, problem: what } });
}
