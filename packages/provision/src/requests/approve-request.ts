import { X509Certificate } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { FlareError, type KitCertificatesDocument, type ProjectProfile, type RenewableType } from "@flare-ts/contracts";
import { writeArchive } from "../archive/index.js";
import { changeState } from "../authority/change-state.js";
import { provisioned } from "../authority/provisioned.js";
import { trustedRootsPem } from "../authority/trusted-roots.js";
import { approvalFiles } from "../kit/approval-files.js";
import { issuableBy } from "../kit/issuer-role.js";
import { signBytes } from "../kit/signature.js";
import { type Authority, openAuthority } from "../pki/authority.js";
import { issueFromRequest } from "../pki/issue-from-request.js";
import { validityFrom } from "../pki/lifetime.js";
import { splitPem } from "../pki/pem.js";
import { issuedEntry } from "../pki/project-identities.js";
import { readSubject } from "../pki/read-certificate.js";
import type { ProjectState } from "../state/project-state.js";
import type { CaKeySource } from "../state/stored-keys.js";
import { judgeName, rememberApprovedKey } from "./approved-keys.js";
import { type AuditOutcome, approvalAuditFile, writeAudit } from "./audit.js";
import { type AuthorityFolder, adoptAuthority, authorityFiles, findAuthorityFolder, peekState, readProfile } from "./authority-folder.js";
import { fingerprintText } from "./fingerprint-text.js";
import { publicKeySha256, sha256 } from "./hashes.js";
import { claimFields, type IdentityClaim } from "./identity-claim.js";
import { moment } from "./moment.js";
import { trustListFile } from "./open-approval.js";
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
  /** A certificate of this name is good, for another key. */
  readonly isNameTaken: boolean;
}

export interface ApproveRequestInit {
  /** Path of `<name>.request.zip`. */
  readonly archive: string;
  /** Folder that `flare cert init` wrote, or a workspace that holds the project. */
  readonly authorityDir: string;
  /** Path of project_profile.yaml. */
  readonly profileFile: string;
  /** Path of the signed archive. @default `<name>.signed.zip` beside the request */
  readonly out?: string | undefined;
  /** @default the profile's leaf_lifetime, or 90 days */
  readonly validDays?: number | undefined;
  /**
   * Whether the project's server renews the certificate, where the workspace gave it a certificate to issue with; a profile cannot say
   * so. A server's own is renewed as the profile says in any case. @default false
   */
  readonly isRenewedByServer?: boolean;
  /** Replaces a signed archive that is there, and issues for another key under a name that has a certificate. @default false */
  readonly isForced?: boolean;
  /** How the authority's private keys are kept. */
  readonly caKey: CaKeySource;
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
  /** The certificate, followed by those of its issuers below the root. */
  readonly certificatePem: string;
  readonly provisionVersion: string;
  /** For the participant, over another way than the archive. */
  readonly rootFingerprint: string;
  readonly audit: AuditOutcome;
  /** A private key of the authority that FLARE left in clear text beside what is kept sealed now. */
  readonly clearKeyFile: string | undefined;
}

const dayMs = 24 * 60 * 60_000;
const renewableTypes: readonly RenewableType[] = ["client", "server", "relay", "admin"];

/**
 * Checks everything that a request says of itself, shows it, and issues a certificate for its key: never beyond the root's
 * end, for the names that the project's profile and the request give. The signed archive holds no secret.
 *
 * @throws FlareError `request/*`, `certificate/*`, `archive/*`, `file/*`, `project/*` for what the authority remembers.
 */
export async function approveRequest(init: ApproveRequestInit): Promise<ApprovalResult> {
  const { archive, now = new Date(), signal } = init;
  const [request, profile] = await Promise.all([openRequest(archive, signal), readProfile(init.profileFile)]);
  checkRequest(init, request, profile);
  const authority = await findAuthorityFolder(init.authorityDir, profile.name);
  const parts = { request, authority, profile, now };
  const summary = await summarize(init, parts, await peekState(authority));
  if ((await init.confirm?.(summary)) === false) {
    throw new FlareError("request/refused", `The request of ${summary.claim.name} was not approved.`, {
      facts: { requestId: summary.requestId },
    });
  }
  const clearKeyFile = await adoptAuthority(authority, profile, init.caKey);
  const { result } = await changeState(authority.projectDir, { caKey: init.caKey, now }, async (stored, context) => {
    const state = provisioned(stored, context);
    // While somebody was thinking, the name may have been given to another key.
    await summarize(init, parts, state);
    const issued = await issue(init, parts, summary, openAuthority(state, context.stateFile), state);
    const entry = issuedEntry(summary.claim.name, issued.certificatePem);
    return { ...stored, state: { ...state, issued: [...state.issued, entry] }, result: issued.result };
  });
  return { ...result, clearKeyFile };
}

interface Parts {
  readonly request: OpenRequest;
  readonly authority: AuthorityFolder;
  readonly profile: ProjectProfile;
  readonly now: Date;
}

function checkRequest({ archive }: ApproveRequestInit, { claim }: OpenRequest, profile: ProjectProfile): void {
  if (claim.project !== profile.name) {
    throw new FlareError(
      "request/wrong-project",
      `${archive} is for the project ${claim.project}; the profile is that of ${profile.name}.`,
      {
        facts: { file: archive, found: claim.project, wanted: profile.name },
      },
    );
  }
  const server = profile.server.name ?? profile.server.host;
  const isServer = claim.kind === "server";
  if (isServer ? claim.name === server : claim.name.toLowerCase() !== server.toLowerCase()) return;
  throw new FlareError(
    "request/mismatch",
    `${archive} asks for ${claim.name} as ${claim.certificateType}, but ${server} is the server in the profile.`,
    { facts: { file: archive, asked: claim.name, server } },
  );
}

async function summarize(init: ApproveRequestInit, parts: Parts, state: ProjectState): Promise<RequestSummary> {
  const { request, authority, profile, now } = parts;
  const { document, claim, hostNames } = request;
  const { validFromDate, validToDate } = new X509Certificate((state.authority ?? state.root).certificatePem);
  if (now >= validToDate || now < validFromDate) {
    throw new FlareError(
      "project/root-expired",
      `The authority's certificate is good from ${validFromDate.toISOString()} to ${validToDate.toISOString()}; it is ${now.toISOString()} now.`,
      { facts: { validFrom: validFromDate.toISOString(), validTo: validToDate.toISOString() } },
    );
  }
  const keySha256 = publicKeySha256(request.request.publicKey);
  const { name } = claim;
  const verdict = await judgeName({ projectDir: authority.projectDir, state, name, publicKeySha256: keySha256, now });
  const facts = { name, publicKeySha256: keySha256 };
  if (verdict === "revoked") {
    throw new FlareError("request/key-revoked", `The certificate of ${name} for this very key was revoked.`, { facts });
  }
  if (verdict === "taken" && init.isForced !== true) {
    throw new FlareError("request/name-taken", `${name} has a certificate that is good, for another key.`, { facts });
  }
  const lifetimeMs = init.validDays === undefined ? renewalSettings(profile).leaf_lifetime_ms : init.validDays * dayMs;
  return {
    requestId: document.request_id,
    claim,
    hosts: claim.kind === "server" ? [...new Set([profile.server.host, ...hostNames])] : [name],
    createdAt: document.created_at,
    publicKeySha256: keySha256,
    validUntil: new Date(Math.min(now.getTime() + lifetimeMs, validToDate.getTime())),
    isNameTaken: verdict === "taken",
  };
}

interface Issued {
  readonly certificatePem: string;
  readonly result: Omit<ApprovalResult, "clearKeyFile">;
}

async function issue(
  init: ApproveRequestInit,
  { request, authority, profile, now }: Parts,
  summary: RequestSummary,
  issuer: Authority,
  state: ProjectState,
): Promise<Issued> {
  const { claim, hosts, requestId } = summary;
  const { privateKey } = issuer;
  init.signal?.throwIfAborted();
  const revokedMs = state.revoked.filter(({ name }) => name === claim.name).map(({ revoked_at_ms }) => revoked_at_ms);
  const revokedAtMs = revokedMs.length === 0 ? undefined : Math.max(...revokedMs);
  const certificatePem = await issueFromRequest({
    csrPem: request.csrPem,
    issuer,
    subject: { commonName: claim.name, org: claim.org, role: claim.certificateType },
    hosts,
    validity: validityFrom(now, summary.validUntil.getTime() - now.getTime(), revokedAtMs),
    purpose: claim.kind === "server" ? "server" : "client",
  });
  const [leafPem = certificatePem] = splitPem("CERTIFICATE", certificatePem);
  const certificate = new X509Certificate(leafPem);
  const { provisionVersion, projectDir } = authority;
  const rootFingerprint = fingerprintText(new X509Certificate(state.root.certificatePem));
  const rootsPem = trustedRootsPem(state);
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
    certificates: { ...renewalSettings(profile), ...renewalByServer(init, summary, state) },
    certificate: { serial: certificate.serialNumber.toLowerCase(), valid_until: moment(certificate.validToDate) },
    cert_file: `${claim.name}.crt`,
    rootca_file: authorityFiles.certificate,
    hashes: {
      csr_sha256: request.document.csr_sha256,
      site_yaml_sha256: request.document.site_yaml_sha256,
      certificate_sha256: sha256(certificatePem),
      rootca_sha256: sha256(rootsPem),
      public_key_sha256: summary.publicKeySha256,
    },
  };
  const document = wholeFile(signed);
  const members: readonly (readonly [path: string, content: string | Uint8Array])[] = [
    [approvalFiles.document, document],
    [approvalFiles.signature, signBytes(Buffer.from(document), privateKey).toString("base64")],
    ["site.yaml", request.siteFile],
    [`${claim.name}.crt`, certificatePem],
    [authorityFiles.certificate, rootsPem],
    ...(state.trustList === undefined ? [] : [[trustListFile, state.trustList.text] as const]),
  ];
  const archive = resolve(init.out ?? join(init.archive, "..", `${claim.name}.signed.zip`));
  // First, so that no certificate is ever out that is not remembered here.
  await rememberApprovedKey(projectDir, claim.name, {
    request_id: requestId,
    public_key_sha256: summary.publicKeySha256,
    serial: signed.certificate.serial,
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
    ca: { ca_dir: resolve(init.authorityDir), metadata: authority.document ?? null, rootCA_fingerprint: rootFingerprint },
  });
  const result = { ...summary, archive, serial: signed.certificate.serial, certificatePem, provisionVersion, rootFingerprint, audit };
  return { certificatePem, result };
}

function renewalByServer(
  { isRenewedByServer = false }: ApproveRequestInit,
  { claim }: RequestSummary,
  { serverIssuer }: ProjectState,
): Partial<KitCertificatesDocument> {
  if (!isRenewedByServer || serverIssuer === undefined || claim.kind === "server") return {};
  const kinds = issuableBy(readSubject(new X509Certificate(serverIssuer.certificatePem)).role) ?? [];
  const mayRenew = renewableTypes.filter((type) => kinds.includes(type));
  const kind = claim.kind === "site" ? "client" : "admin";
  return mayRenew.includes(kind) ? { renewal: "server", server_may_renew: mayRenew } : {};
}
