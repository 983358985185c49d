import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { projectProfileSchema, readDocument } from "@flare-ts/contracts";
import { issueRoot } from "../pki/certificate.js";
import { createKeyPair, privateKeyPem } from "../pki/key-pair.js";
import { authorityFiles } from "./authority.js";
import { fingerprintOf } from "./fingerprint.js";
import { issuedFolder } from "./issued.js";
import { moment } from "./moment.js";
import { placeFiles } from "./place-files.js";
import { readTextFile } from "./read-text-file.js";
import { sealKey } from "./sealed-key.js";
import { wholeFile } from "./site-file.js";

export interface InitAuthorityInit {
  /** Path of project_profile.yaml. */
  readonly profileFile: string;
  /** Folder of the authority; made when it does not exist. */
  readonly dir: string;
  /** Organisation in the root certificate. @default none */
  readonly org?: string | undefined;
  /** @default the profile's root_valid_days, or 3650 */
  readonly validDays?: number | undefined;
  /** Number of the folder `prod_NN` that kits go into. @default "00" */
  readonly deployVersion?: string;
  /** Keeps an earlier authority of the same folder in `.bak` and replaces it. @default false */
  readonly isForced?: boolean;
  /** Encrypts the private key; `undefined` leaves it in clear text. */
  readonly passphrase: string | undefined;
  /** @default the present */
  readonly now?: Date;
  readonly signal?: AbortSignal | undefined;
}

/** A certificate authority that was made. */
export interface InitAuthorityResult {
  readonly project: string;
  /** Absolute path. */
  readonly dir: string;
  readonly validUntil: Date;
  readonly rootFingerprint: string;
  readonly provisionVersion: string;
  readonly isKeyEncrypted: boolean;
}

const dayMs = 24 * 60 * 60_000;
const defaultRootDays = 3650;
const backdateMs = 5 * 60_000;

/**
 * Makes the certificate authority of a project: `rootCA.pem`, `rootCA.key` and `ca.json`, in a folder that its owner alone
 * may enter.
 *
 * @throws FlareError `request/invalid` with each mistake of the profile and its line, `file/*`.
 */
export async function initAuthority(init: InitAuthorityInit): Promise<InitAuthorityResult> {
  const { profileFile, isForced = false, deployVersion = "00", now = new Date(), passphrase, signal } = init;
  const text = await readTextFile(profileFile);
  const { value: profile } = readDocument({ text, file: profileFile, schema: projectProfileSchema, code: "request/invalid" });
  const keyPair = await createKeyPair(profile.certificates?.key_type ?? "rsa-2048");
  signal?.throwIfAborted();
  const days = init.validDays ?? profile.certificates?.root_valid_days ?? defaultRootDays;
  const certificatePem = await issueRoot({
    subject: { commonName: profile.name, ...(init.org === undefined ? {} : { org: init.org }) },
    ...keyPair,
    validity: { from: new Date(now.getTime() - backdateMs), to: new Date(now.getTime() + days * dayMs) },
  });
  const certificate = new X509Certificate(certificatePem);
  const rootFingerprint = fingerprintOf(certificate);
  const document = {
    project: profile.name,
    created_at: moment(now),
    provision_version: deployVersion,
    rootCA_fingerprint: rootFingerprint,
    project_profile: profile,
  };
  const pem = privateKeyPem(keyPair);
  await placeFiles({
    dir: init.dir,
    files: [
      { name: authorityFiles.certificate, content: certificatePem, mode: 0o644 },
      { name: authorityFiles.privateKey, content: passphrase === undefined ? pem : await sealKey(pem, passphrase), mode: 0o600 },
      { name: authorityFiles.document, content: wholeFile(document), mode: 0o600 },
    ],
    isForced,
    now,
    outdated: [issuedFolder],
  });
  return {
    project: profile.name,
    dir: resolve(init.dir),
    validUntil: certificate.validToDate,
    rootFingerprint,
    provisionVersion: deployVersion,
    isKeyEncrypted: passphrase !== undefined,
  };
}
