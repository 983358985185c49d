import { createHash, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { FlareError, readDocument, type SignedApprovalDocument, signedApprovalSchema } from "@flare-ts/contracts";
import { readHosts } from "../pki/read-certificate.js";
import { approvalFiles } from "./approval-files.js";
import type { Kit } from "./kit.js";
import { readIfPresent } from "./read-if-present.js";
import { parseCertificate } from "./read-kit-file.js";
import { isSignedBy } from "./signature.js";

/**
 * The approval that a kit was made from, where its participant made it with `flare package`: who may sign the files of such
 * a kit is the participant, whose key never left, and what the project admin decided is signed by the root. `undefined` for
 * a kit that was provisioned.
 *
 * @throws FlareError `kit/approval-mismatch`, `kit/invalid`, `kit/file-missing`, `file/unreadable`.
 */
export async function readApproval(kit: Kit, rootKeys: readonly KeyObject[]): Promise<SignedApprovalDocument | undefined> {
  const file = join(kit.startup.dir, approvalFiles.document);
  const bytes = await readIfPresent(file);
  if (bytes === undefined) return undefined;
  const signature = await readIfPresent(join(kit.startup.dir, approvalFiles.signature));
  if (signature === undefined || !isApprovalSigned(bytes, signature, rootKeys)) {
    throw mismatch(file, "was not signed by the project's root certificate");
  }
  const { value } = readDocument({ text: bytes.toString("utf8"), file, schema: signedApprovalSchema, code: "kit/invalid" });
  const difference = differenceFrom(kit, value);
  if (difference !== undefined) throw mismatch(file, difference);
  return value;
}

/** Whether one of the keys has signed an approval; its signature is base64. */
export function isApprovalSigned(document: Uint8Array, signature: Uint8Array, rootKeys: readonly KeyObject[]): boolean {
  const bytes = Buffer.from(Buffer.from(signature).toString("latin1"), "base64");
  return rootKeys.some((key) => isSignedBy(document, bytes, key));
}

/** What a kit says otherwise than its approval, for a message; `undefined` when it says the same. */
function differenceFrom(kit: Kit, approval: SignedApprovalDocument): string | undefined {
  const { server, default_connection_security: security, hashes } = approval;
  const isServer = kit.type === "server";
  const facts: readonly (readonly [what: string, inKit: string | number, approved: string | number])[] = [
    ["project", kit.project, approval.project],
    ["name", kit.name, approval.name],
    ["organisation", kit.org, approval.org],
    ["role", kit.role, approval.cert_type],
    ["certificate (SHA-256)", sha256(kit.certificatePem), hashes.certificate_sha256],
    ["root certificate (SHA-256)", sha256(kit.rootCaPem), hashes.rootca_sha256],
    ["name of the server", kit.serverIdentity, server.name ?? server.host],
    ["host", kit.endpoint.host, server.host],
    ["port", kit.endpoint.port, server.fed_learn_port],
    // How the server itself listens, behind a proxy or not, is decided where it runs.
    ["connection_security", isServer ? security : kit.endpoint.connectionSecurity, security],
  ];
  const wrong = facts.find(([, inKit, approved]) => inKit !== approved);
  if (wrong !== undefined) return `approves ${wrong[0]} ${wrong[2]}, but the kit has ${wrong[1]}`;
  const hosts = isServer ? readHosts(parseCertificate(kit.certificatePem, kit.startup.certificate)) : [];
  return isServer && hosts.length === 0 ? "is for a server, but the certificate names no host" : undefined;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function mismatch(file: string, what: string): FlareError {
  return new FlareError("kit/approval-mismatch", `${file} ${what}.`, { facts: { file, problem: what } });
}
