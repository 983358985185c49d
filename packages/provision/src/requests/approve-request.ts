import { X509Certificate } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { FlareError, type ProjectProfile } from "@flare-ts/contracts";
import { writeArchive } from "../archive/index.js";
import { approvalFiles } from "../kit/approval.js";
import { signBytes } from "../kit/signature.js";
import { issueFromRequest } from "../pki/issue-from-request.js";
import { splitPem } from "../pki/pem.js";
import { lockWorkspace } from "../state/workspace-lock.js";
import { type AuditOutcome, approvalAuditFile, writeAudit } from "./audit.js";
import { type Authority, authorityFiles, openAuthorityKey, readAuthority, readProfile } from "./authority.js";
import { fingerprintOf } from "./fingerprint.js";
import { publicKeySha256, sha256 } from "./hashes.js";
import { claimFields, type IdentityClaim } from "./identity-claim.js";
import { readIssued, recordIssued } from "./issued.js";
import { moment } from "./moment.js";
import { type OpenRequest, openRequest } from "./open-request.js";
import { renewalSettings } from "./renewal-settings.js";
import { wholeFile } from "./site-file.js";

/** What an approver sees before a certificate is issued. */
export interface RequestSummary {
  readonly requestId: string;
  readonly claim: IdentityClaim;
  /** Names and addresses that the certificate will be good for. */
  readonly hosts: readonly string[];
  /** When the participant says that it asked; ISO 8601. */
  readonly createdAt: string;
  readonly publicKeySha256: string;
  readonly validUntil: Date;
  /** A certificate of this name was issued before, for another key. */
  readonly isNameTaken: boolean;
}

export interface ApproveRequestInit {
  /** Path of `<name>.request.zip`. */
  readonly archive: string;
  /** Folder that `flare cert init` wrote. */
  readonly authorityDir: string;
  /** Path of project_profile.yaml. */
  readonly profileFile: string;
  /** Path of the signed archive. @default `<name>.signed.zip` beside the request */
  readonly out?: string | undefined;
  /** @default the profile's leaf_lifetime, or 90 days */
  readonly validDays?: number | undefined;
  /** Replaces a signed archive that is there, and issues for another key under a name that has a certificate. @default false */
  readonly isForced?: boolean;
  /** Asked for when the authority's key is encrypted. */
  readonly passphrase: () => Promise<string>;
  /** Whether what the summary says is approved. @default it is */
  readonly confirm?: (summary: RequestSummary) => Promise<boolean>;
  /** Folder of the records. @default ~/.flare */
  readonly home?: string;
  /** @default the present */
  readonly now?: Date;
  readonly signal?: AbortSignal | undefined;
}

/** A certificate that was issued. */
export interface ApprovalResult extends RequestSummary {
  /** Absolute path of the signed archive, for the participant. */
  readonly archive: string;
  readonly serial: string;
  readonly provisionVersion: string;
  /** For the participant, over another way than the archive. */
  readonly rootFingerprint: string;
  readonly audit: AuditOutcome;
}

const dayMs = 24 * 60 * 60_000;
/** A certificate is good at once on a machine whose clock is a little behind. */
const backdateMs = 5 * 60_000;

/**
 * Checks everything that a request says of itself, shows it, and issues a certificate for its key: never beyond the root's
 * end, for the names that the project's profile and the request give. The signed archive holds no secret.
 *
 * @throws FlareError `request/*`, `certificate/*`, `archive/*`, `file/*`, `project/locked`.
 */
export async function approveRequest(init: ApproveRequestInit): Promise<ApprovalResult> {
  const { archive, now = new Date(), isForced = false, signal } = init;
  const [request, authority, profile] = await Promise.all([
    openRequest(archive, signal),
    readAuthority(init.authorityDir),
    readProfile(init.profileFile),
  ]);
  checkProject(init, request, authority, profile);
  const parts = { request, authority, profile, now };
  const summary = await summarize(init, parts);
  refuseTakenName(summary, isForced);
  if ((await init.confirm?.(summary)) === false) {
    throw new FlareError("request/refused", `The request of ${summary.claim.name} was not approved.`, {
      facts: { requestId: summary.requestId },
    });
  }
  const unlock = await lockWorkspace(authority.dir);
  try {
    // While somebody was thinking, the name may have been given to another key.
    refuseTakenName(await summarize(init, parts), isForced);
    return await issue(init, parts, summary);
  } finally {
    await unlock();
  }
}

function refuseTakenName({ isNameTaken, claim, publicKeySha256: key }: RequestSummary, isForced: boolean): void {
  if (!isNameTaken || isForced) return;
  throw new FlareError("request/name-taken", `A certificate for ${claim.name} was issued before, for another key.`, {
    facts: { name: claim.name, publicKeySha256: key },
  });
}

interface Parts {
  readonly request: OpenRequest;
  readonly authority: Authority;
  readonly profile: ProjectProfile;
  readonly now: Date;
}

function checkProject({ archive, profileFile }: ApproveRequestInit, { claim }: OpenRequest, authority: Authority, profile: ProjectProfile) {
  const { project } = authority.document;
  if (profile.name !== project) throw otherProject(profileFile, profile.name, project);
  if (claim.project !== project) throw otherProject(archive, claim.project, project);
  const server = profile.server.name ?? profile.server.host;
  if (claim.kind === "server" && claim.name !== server) {
    throw new FlareError("request/mismatch", `${archive} asks for the server ${claim.name}, but the profile's server is ${server}.`, {
      facts: { file: archive, asked: claim.name, server },
    });
  }
  if (claim.kind !== "server" && claim.name.toLowerCase() === server.toLowerCase()) {
    throw new FlareError("request/mismatch", `${archive} asks for the name of the server, ${server}, as ${claim.certificateType}.`, {
      facts: { file: archive, asked: claim.name, server },
    });
  }
}

async function summarize({ validDays }: ApproveRequestInit, { request, authority, profile, now }: Parts): Promise<RequestSummary> {
  const { document, claim, hostNames } = request;
  const rootEnd = authority.certificate.validToDate;
  if (now >= rootEnd || now < authority.certificate.validFromDate) {
    throw new FlareError(
      "request/authority-invalid",
      `The root certificate is not good at ${now.toISOString()}; it ends at ${rootEnd.toISOString()}.`,
      {
        facts: { validTo: rootEnd.toISOString() },
      },
    );
  }
  const lifetimeMs = validDays === undefined ? renewalSettings(profile).leaf_lifetime_ms : validDays * dayMs;
  const end = Math.min(now.getTime() + lifetimeMs, rootEnd.getTime());
  const keySha256 = publicKeySha256(request.request.publicKey);
  const issued = await readIssued(authority.dir, claim.name);
  return {
    requestId: document.request_id,
    claim,
    hosts: claim.kind === "server" ? [...new Set([profile.server.host, ...hostNames])] : [claim.name],
    createdAt: document.created_at,
    publicKeySha256: keySha256,
    validUntil: new Date(end),
    isNameTaken: issued !== undefined && issued.public_key_sha256 !== keySha256,
  };
}

async function issue(
  init: ApproveRequestInit,
  { request, authority, profile, now }: Parts,
  summary: RequestSummary,
): Promise<ApprovalResult> {
  const { claim, hosts, requestId } = summary;
  const privateKey = await openAuthorityKey(authority, init.passphrase);
  init.signal?.throwIfAborted();
  const certificatePem = await issueFromRequest({
    csrPem: request.csrPem,
    issuer: { certificatePem: authority.certificatePem, privateKey },
    subject: { commonName: claim.name, org: claim.org, role: claim.certificateType },
    hosts,
    validity: { from: new Date(now.getTime() - backdateMs), to: summary.validUntil },
    purpose: claim.kind === "server" ? "server" : "client",
  });
  const [leafPem = certificatePem] = splitPem("CERTIFICATE", certificatePem);
  const certificate = new X509Certificate(leafPem);
  const { provision_version: provisionVersion } = authority.document;
  const rootFingerprint = fingerprintOf(authority.certificate);
  const { host, name, fed_learn_port, admin_port } = profile.server;
  const signed = {
    artifact_type: "nvflare.cert.signed",
    schema_version: "1",
    request_id: requestId,
    approved_at: moment(now),
    ...claimFields(claim),
    ca_info: { provision_version: provisionVersion, rootCA_fingerprint: rootFingerprint },
    scheme: profile.scheme,
    default_connection_security: profile.connection_security,
    server: {
      host,
      ...(name === undefined || name === null || name === host ? {} : { name }),
      fed_learn_port,
      admin_port: admin_port ?? fed_learn_port,
    },
    certificates: renewalSettings(profile),
    certificate: { serial: certificate.serialNumber.toLowerCase(), valid_until: moment(certificate.validToDate) },
    cert_file: `${claim.name}.crt`,
    rootca_file: authorityFiles.certificate,
    hashes: {
      csr_sha256: request.document.csr_sha256,
      site_yaml_sha256: request.document.site_yaml_sha256,
      certificate_sha256: sha256(certificatePem),
      rootca_sha256: sha256(authority.certificatePem),
      public_key_sha256: summary.publicKeySha256,
    },
  };
  const document = wholeFile(signed);
  const members: readonly (readonly [path: string, content: string | Uint8Array])[] = [
    [approvalFiles.document, document],
    [approvalFiles.signature, signBytes(Buffer.from(document), privateKey).toString("base64")],
    ["site.yaml", request.siteFile],
    [`${claim.name}.crt`, certificatePem],
    [authorityFiles.certificate, authority.certificatePem],
  ];
  const archive = resolve(init.out ?? join(init.archive, "..", `${claim.name}.signed.zip`));
  // First, so that no certificate is ever out that is not remembered here.
  await recordIssued(authority.dir, {
    ...claimFields(claim),
    request_id: requestId,
    public_key_sha256: summary.publicKeySha256,
    ...signed.certificate,
  });
  await writeArchive({
    file: archive,
    members: members.map(([path, content]) => ({ path, bytes: Buffer.from(content), mode: 0o644 })),
    modified: now,
    isForced: init.isForced === true,
    signal: init.signal,
  });
  const audit = await writeAudit(approvalAuditFile(init.home ?? join(homedir(), ".flare"), requestId), {
    approval: signed,
    request: request.document,
    request_zip_path: resolve(init.archive),
    signed_zip_path: archive,
    ca: { ca_dir: authority.dir, metadata: authority.document },
  });
  return { ...summary, archive, serial: signed.certificate.serial, provisionVersion, rootFingerprint, audit };
}

function otherProject(file: string, found: string, wanted: string): FlareError {
  return new FlareError("request/wrong-project", `${file} is for the project ${found}; the authority is that of ${wanted}.`, {
    facts: { file, found, wanted },
  });
}
