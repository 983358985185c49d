import { X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { projectProfileSchema, readDocument } from "@flare-ts/contracts";
import { issueRoot } from "../pki/certificate.js";
import { createKeyPair, privateKeyPem } from "../pki/key-pair.js";
import { validityFrom } from "../pki/lifetime.js";
import { type CaKey, KeyVault } from "../state/key-vault.js";
import { firstState, writeState } from "../state/project-state.js";
import { authorityFiles, keyFileOwner } from "./authority-folder.js";
import { fingerprintText } from "./fingerprint-text.js";
import { moment } from "./moment.js";
import { placeFiles } from "./place-files.js";
import { readTextFile } from "./read-text-file.js";
import { renewalSettings } from "./renewal-settings.js";
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
  /** How the private key is kept: sealed by a passphrase, or in clear text. */
  readonly caKey: CaKey;
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
  readonly isKeySealed: boolean;
}

const dayMs = 24 * 60 * 60_000;
const defaultRootDays = 3650;

/**
 * Makes the certificate authority of a project: `rootCA.pem`, `rootCA.key` and `ca.json`, and `<project>/state` for what it
 * will issue, in a folder that its owner alone may enter.
 *
 * @throws FlareError `request/invalid` with each mistake of the profile and its line, `file/*`,
 * `project/passphrase-too-short`.
 */
export async function initAuthority(init: InitAuthorityInit): Promise<InitAuthorityResult> {
  const { profileFile, isForced = false, deployVersion = "00", now = new Date(), caKey, signal } = init;
  const text = await readTextFile(profileFile);
  const { value: profile } = readDocument({ text, file: profileFile, schema: projectProfileSchema, code: "request/invalid" });
  const keyType = profile.certificates?.key_type ?? "rsa-2048";
  const keyPair = await createKeyPair(keyType);
  signal?.throwIfAborted();
  const days = init.validDays ?? profile.certificates?.root_valid_days ?? defaultRootDays;
  const certificatePem = await issueRoot({
    subject: { commonName: profile.name, ...(init.org === undefined ? {} : { org: init.org }) },
    ...keyPair,
    validity: validityFrom(now, days * dayMs),
  });
  const certificate = new X509Certificate(certificatePem);
  const rootFingerprint = fingerprintText(certificate);
  const document = {
    project: profile.name,
    created_at: moment(now),
    provision_version: deployVersion,
    rootCA_fingerprint: rootFingerprint,
    project_profile: profile,
  };
  const pem = privateKeyPem(keyPair);
  const vault = new KeyVault(caKey, join(init.dir, authorityFiles.privateKey));
  const settings = { keyType, leafLifetimeMs: renewalSettings(profile).leaf_lifetime_ms };
  const state = { ...firstState({ root: { certificatePem, privateKeyPem: pem }, authority: undefined }), settings };
  await placeFiles({
    dir: init.dir,
    files: [
      { name: authorityFiles.certificate, content: certificatePem, mode: 0o644 },
      { name: authorityFiles.privateKey, content: `${(await vault.seal(pem, keyFileOwner)).trim()}\n`, mode: 0o600 },
      { name: authorityFiles.document, content: wholeFile(document), mode: 0o600 },
    ],
    isForced,
    now,
    complete: async (draft) => {
      await mkdir(join(draft, profile.name), { mode: 0o700 });
      await writeState(join(draft, profile.name), { state, requestedKeyPem: undefined }, vault);
      return [profile.name];
    },
  });
  return {
    project: profile.name,
    dir: resolve(init.dir),
    validUntil: certificate.validToDate,
    rootFingerprint,
    provisionVersion: deployVersion,
    isKeySealed: caKey !== "clear",
  };
}
