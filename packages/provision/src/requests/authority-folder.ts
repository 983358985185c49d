import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  type AuthorityFileDocument,
  authorityFileSchema,
  FlareError,
  type ProjectProfile,
  projectProfileSchema,
  readDocument,
} from "@flare-ts/contracts";
import { makeFolder } from "../kit/make-folder.js";
import { readSubject } from "../pki/read-certificate.js";
import { KeyVault } from "../state/key-vault.js";
import { firstState, type ProjectState, readState, type StoredRoot, writeState } from "../state/project-state.js";
import type { CaKeySource } from "../state/stored-keys.js";
import { lockWorkspace } from "../state/workspace-lock.js";
import { fingerprintText } from "./fingerprint-text.js";
import { readTextFile } from "./read-text-file.js";
import { renewalSettings } from "./renewal-settings.js";

/** Names of the files of a certificate authority: FLARE's. */
export const authorityFiles = { certificate: "rootCA.pem", privateKey: "rootCA.key", document: "ca.json" } as const;

/** What `rootCA.key` is sealed for, where it is. */
export const keyFileOwner = "rootCA.key";

/**
 * A certificate authority: a folder that `flare cert init` made, one that FLARE made, or a workspace that was provisioned. What is
 * remembered of a project is in `<project>/state`, as in a workspace, so that everything of `flare cert` works on each of them.
 */
export interface AuthorityFolder {
  /** Absolute path of the project's folder. */
  readonly projectDir: string;
  readonly project: string;
  /** Number of the folder `prod_NN` that kits go into. */
  readonly provisionVersion: string;
  /** `ca.json`, where there is one. */
  readonly document: AuthorityFileDocument | undefined;
}

/**
 * Finds a project in the folder of an authority.
 *
 * @throws FlareError `request/authority-invalid`, `request/wrong-project`.
 */
export async function findAuthorityFolder(dir: string, project: string): Promise<AuthorityFolder> {
  const file = join(resolve(dir), authorityFiles.document);
  const text = await readPart(file);
  const document =
    text === undefined ? undefined : readDocument({ text, file, schema: authorityFileSchema, code: "request/authority-invalid" }).value;
  if (document !== undefined && document.project !== project) {
    throw new FlareError("request/wrong-project", `The authority in ${dir} is that of ${document.project}, not of ${project}.`, {
      facts: { file, found: document.project, wanted: project },
    });
  }
  return { projectDir: join(resolve(dir), project), project, provisionVersion: document?.provision_version ?? "00", document };
}

/**
 * What an authority remembers, its private keys left sealed; before anything was issued, its root alone.
 *
 * @throws FlareError `request/authority-invalid`, `project/state-invalid`.
 */
export async function peekState(authority: AuthorityFolder): Promise<ProjectState> {
  const { state } = await readState(authority.projectDir, { open: async (stored) => await Promise.resolve(stored) });
  return state ?? firstState({ root: await readRootFiles(authority), authority: undefined });
}

/**
 * Makes what an authority remembers out of its files, where it does not remember anything yet: a folder that FLARE made. Answers
 * the path of a private key that stays there in clear text.
 *
 * @throws FlareError `request/authority-invalid`, `project/passphrase-missing`, `project/passphrase-wrong`, `project/locked`.
 */
export async function adoptAuthority(
  authority: AuthorityFolder,
  profile: ProjectProfile,
  caKeySource: CaKeySource,
): Promise<string | undefined> {
  const { projectDir } = authority;
  const present = await readState(projectDir, { open: async (stored) => await Promise.resolve(stored) });
  if (present.state !== undefined) return undefined;
  const root = await readRootFiles(authority);
  const file = join(projectDir, "..", authorityFiles.privateKey);
  const isClear = root.privateKeyPem.startsWith("-----BEGIN");
  const caKey = typeof caKeySource === "function" ? await caKeySource(isClear ? "none" : "sealed") : caKeySource;
  const vault = new KeyVault(caKey, file);
  const privateKeyPem = await vault.open(root.privateKeyPem.trim(), keyFileOwner);
  checkKey(privateKeyPem, root, file);
  await makeFolder(projectDir, { mode: 0o700 });
  const unlock = await lockWorkspace(projectDir);
  try {
    const settings = { keyType: profile.certificates?.key_type ?? "rsa-2048", leafLifetimeMs: renewalSettings(profile).leaf_lifetime_ms };
    await writeState(
      projectDir,
      { state: { ...firstState({ root: { ...root, privateKeyPem }, authority: undefined }), settings }, requestedKeyPem: undefined },
      vault,
    );
  } finally {
    await unlock();
  }
  return isClear && caKey !== "clear" ? file : undefined;
}

/**
 * Reads the profile of a project.
 *
 * @throws FlareError `request/invalid` with each mistake and its line, `file/not-found`, `file/unreadable`.
 */
export async function readProfile(file: string): Promise<ProjectProfile> {
  const text = await readTextFile(file);
  return readDocument({ text, file, schema: projectProfileSchema, code: "request/invalid" }).value;
}

async function readRootFiles({
  projectDir,
  project,
  document,
}: AuthorityFolder): Promise<{ certificatePem: string; privateKeyPem: string }> {
  const fileOf = (name: string): string => join(projectDir, "..", name);
  const [certificateFile, keyFile] = [fileOf(authorityFiles.certificate), fileOf(authorityFiles.privateKey)];
  const [certificatePem, privateKeyPem] = await Promise.all([readPart(certificateFile), readPart(keyFile)]);
  if (document === undefined) throw invalid(fileOf(authorityFiles.document), `is missing, and so is ${join(projectDir, "state")}`);
  if (certificatePem === undefined) throw invalid(certificateFile, "is missing");
  if (privateKeyPem === undefined) throw invalid(keyFile, "is missing");
  const certificate = parseRoot(certificatePem, certificateFile);
  const fingerprint = fingerprintText(certificate);
  if (fingerprint !== document.rootCA_fingerprint)
    throw invalid(certificateFile, `has another fingerprint (${fingerprint}) than ca.json says`);
  const { commonName } = readSubject(certificate);
  if (commonName !== project) throw invalid(certificateFile, `is of ${commonName}, but ca.json is for ${project}`);
  return { certificatePem, privateKeyPem };
}

function checkKey(pem: string, { certificatePem }: StoredRoot, file: string): void {
  try {
    if (new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(pem))) return;
  } catch {
    // The cause may quote the key.
    throw invalid(file, "is not a private key");
  }
  throw invalid(file, `does not belong to ${authorityFiles.certificate}`);
}

async function readPart(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw invalid(file, `cannot be read (${code})`, cause);
  }
}

function parseRoot(pem: string, file: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw invalid(file, "is not a certificate", cause);
  }
  if (!certificate.ca || !certificate.checkIssued(certificate)) throw invalid(file, "is not a root certificate");
  return certificate;
}

function invalid(file: string, what: string, cause?: unknown): FlareError {
  return new FlareError("request/authority-invalid", `${file} ${what}.`, { cause, facts: { file, problem: what } });
}
