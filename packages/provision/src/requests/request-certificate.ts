import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { KeyType } from "@flare-ts/contracts";
import { participantFileSchema, readDocument } from "@flare-ts/contracts";
import { writeArchive } from "../archive/index.js";
import { createKeyPair, privateKeyPem } from "../pki/key-pair.js";
import { createRequest } from "../pki/request.js";
import { type AuditOutcome, requestAuditFile, writeAudit } from "./audit.js";
import { publicKeySha256, sha256 } from "./hashes.js";
import { claimFields, claimOfFile, type IdentityClaim } from "./identity-claim.js";
import { moment } from "./moment.js";
import { placeFiles } from "./place-files.js";
import { readTextFile } from "./read-text-file.js";
import { approvedPart, wholeFile } from "./site-file.js";

export interface RequestCertificateInit {
  /** Path of participant.yaml. */
  readonly participantFile: string;
  /** Folder of the request. @default the participant's name, in `baseDir` */
  readonly dir?: string | undefined;
  /** @default the present folder */
  readonly baseDir?: string;
  /** Keeps an earlier request of the same folder in `.bak` and replaces it. @default false */
  readonly isForced?: boolean;
  /** @default "rsa-2048" */
  readonly keyType?: KeyType;
  /** Folder of the records. @default ~/.flare */
  readonly home?: string;
  /** @default the present */
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

/** A request that was written. */
export interface CertificateRequestResult {
  readonly requestId: string;
  readonly claim: IdentityClaim;
  /** Absolute path of the request's folder. */
  readonly dir: string;
  /** What the project admin gets. */
  readonly archive: string;
  /** Stays where it is. */
  readonly privateKey: string;
  readonly publicKeySha256: string;
  readonly audit: AuditOutcome;
}

/**
 * Makes a private key and a request for a certificate. The key stays in the request's folder; the archive beside it holds
 * the request, `site.yaml` and `request.json`, and is for the project admin.
 *
 * @throws FlareError `request/invalid` with each mistake and its line, `file/*`, `archive/unsafe-path`.
 */
export async function requestCertificate(init: RequestCertificateInit): Promise<CertificateRequestResult> {
  const { participantFile, baseDir = ".", isForced = false, keyType = "rsa-2048", now = new Date(), signal } = init;
  const text = await readTextFile(participantFile);
  const { value } = readDocument({ text, file: participantFile, schema: participantFileSchema, code: "request/invalid" });
  const claim = claimOfFile(value);
  const dir = resolve(init.dir ?? join(baseDir, claim.name));
  const keyPair = await createKeyPair(keyType);
  signal?.throwIfAborted();
  const subject = { commonName: claim.name, org: claim.org, role: claim.certificateType };
  const csr = await createRequest({ subject, keyPair });
  const siteFile = approvedPart(value);
  const request = {
    artifact_type: "nvflare.cert.request",
    schema_version: "1",
    request_id: randomUUID(),
    created_at: moment(now),
    ...claimFields(claim),
    csr_sha256: sha256(csr),
    public_key_sha256: publicKeySha256(keyPair.publicKey),
    site_yaml_sha256: sha256(siteFile),
  };
  const requestJson = wholeFile(request);
  const archiveName = `${claim.name}.request.zip`;
  const travelling = [
    { path: "request.json", text: requestJson },
    { path: "site.yaml", text: siteFile },
    { path: `${claim.name}.csr`, text: csr },
  ];
  await placeFiles({
    dir,
    files: [
      { name: `${claim.name}.key`, content: privateKeyPem(keyPair), mode: 0o600 },
      { name: `${claim.name}.csr`, content: csr, mode: 0o644 },
      { name: "site.yaml", content: wholeFile(value), mode: 0o644 },
      { name: "request.json", content: requestJson, mode: 0o644 },
    ],
    isForced,
    now,
    complete: async (draft) => {
      const members = travelling.map(({ path, text: content }) => ({ path, bytes: Buffer.from(content), mode: 0o644 }));
      await writeArchive({ file: join(draft, archiveName), members, modified: now, signal });
      return [archiveName];
    },
  });
  const [archive, privateKey] = [join(dir, archiveName), join(dir, `${claim.name}.key`)];
  const audit = await writeAudit(requestAuditFile(init.home ?? join(homedir(), ".flare"), request.request_id), {
    request,
    request_dir: dir,
    request_zip_path: archive,
    private_key_path: privateKey,
    csr_path: join(dir, `${claim.name}.csr`),
    site_yaml_path: join(dir, "site.yaml"),
  });
  return { requestId: request.request_id, claim, dir, archive, privateKey, publicKeySha256: request.public_key_sha256, audit };
}
