import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { join, resolve } from "node:path";
import type { KeyType } from "@flare-ts/contracts";
import { FlareError, projectNameSchema } from "@flare-ts/contracts";
import { makeFolder } from "../kit/make-folder.js";
import { readRoots } from "../kit/read-roots.js";
import { unknownExtensionOf } from "../kit/verify-chain.js";
import { issueAuthority } from "../pki/certificate.js";
import { isIssuedBy } from "../pki/is-issued-by.js";
import { withinIssuer } from "../pki/issue-from-request.js";
import { createKeyPair, keyPairFromPem, privateKeyPem } from "../pki/key-pair.js";
import { validityFrom } from "../pki/lifetime.js";
import { splitPem } from "../pki/pem.js";
import { readSubject } from "../pki/read-certificate.js";
import { createRequest } from "../pki/request.js";
import { roomBelow } from "../pki/room-below.js";
import { weaknessOf } from "../pki/weakness-of.js";
import { firstState, type StoredIdentity, type StoredRoot, type StoredState } from "../state/project-state.js";
import { type ChangeContext, type ChangeInit, changeState, type PublishedTrust } from "./change-state.js";
import { replaceRoot } from "./rollover.js";

export interface ExternalCaInit extends ChangeInit {
  /** Folder that keeps the projects; made when it does not exist. */
  readonly workspace: string;
  /** The project need not exist yet. */
  readonly project: string;
}

export interface UseCaInit extends ExternalCaInit {
  /** The CA's certificate first, then those above it up to the root; PEM. */
  readonly chainPem: string;
  /** The key of the first certificate; PEM, not encrypted. */
  readonly privateKeyPem: string;
  /** Kind of the key of the project's own authority, where one is made. @default rsa-2048 */
  readonly keyType?: KeyType | undefined;
}

export interface ImportCaInit extends ExternalCaInit {
  /** The certificate that was asked for, then those above it up to the root; PEM. */
  readonly chainPem: string;
}

/** What became of the project's CA. */
export interface ExternalCaResult {
  /** Who issues the project's certificates from now on. */
  readonly authority: string;
  readonly root: string;
  readonly validUntil: Date;
  /** Present when the project had another CA before: from then on both are trusted. */
  readonly trust: PublishedTrust | undefined;
}

/** Authority of the project below a CA from elsewhere: so long, and never beyond the CA's own end. */
const authorityLifetimeMs = 3650 * 24 * 60 * 60 * 1000;

/**
 * Takes a CA from elsewhere. Its own key is not kept, unless it is the project's already (its name is the project's): an authority
 * for this project alone is made below it.
 *
 * @throws FlareError `project/external-ca-invalid`, `project/rollover-under-way`, `project/invalid` for the name, and what
 * `revokeParticipant` throws for the workspace.
 */
export async function useCa({ chainPem, privateKeyPem: keyPem, keyType = "rsa-2048", ...init }: UseCaInit): Promise<ExternalCaResult> {
  return await replaceAuthority(init, async (_stored, { project, now }) => {
    const chain = readChain(chainPem, now);
    const key = readKey(keyPem, chain.certificate);
    if (readSubject(chain.certificate).commonName === project) return withKey(chain, keyPem);
    const keyPair = await createKeyPair(keyType);
    const issuer = { certificatePem: chain.belowRoot === "" ? chain.root : chain.belowRoot, privateKey: key };
    const certificatePem = await issueAuthority({
      commonName: project,
      publicKey: keyPair.publicKey,
      validity: withinIssuer(validityFrom(now, authorityLifetimeMs), issuer),
      issuer,
    });
    return withKey(readChain(`${certificatePem}${chainPem}`, now), privateKeyPem(keyPair));
  });
}

/**
 * Makes a key for the project's authority and asks for its certificate: the request (PKCS #10, PEM) is for a CA elsewhere to sign,
 * as an authority with the subject that it names. A request that is under way is answered again.
 *
 * @throws FlareError as `useCa`
 */
export async function requestCa({
  keyType = "rsa-2048",
  ...init
}: ExternalCaInit & { readonly keyType?: KeyType | undefined }): Promise<string> {
  const { result } = await changeState(await projectFolder(init), init, async (stored, { project }) => {
    const keyPair = stored.requestedKeyPem === undefined ? await createKeyPair(keyType) : keyPairFromPem(stored.requestedKeyPem);
    const csrPem = await createRequest({ subject: { commonName: project }, keyPair });
    return { state: stored.state, requestedKeyPem: privateKeyPem(keyPair), result: csrPem };
  });
  return result;
}

/**
 * Takes the certificate that a CA elsewhere made from the request, with those above it.
 *
 * @throws FlareError `project/no-authority` when nothing was asked for, and as `useCa`.
 */
export async function importCa({ chainPem, ...init }: ImportCaInit): Promise<ExternalCaResult> {
  return await replaceAuthority(init, async (stored, { project, now, stateFile }) => {
    const { requestedKeyPem } = stored;
    if (requestedKeyPem === undefined) {
      throw new FlareError("project/no-authority", "No certificate was asked for.", { facts: { file: stateFile } });
    }
    const chain = readChain(chainPem, now);
    readKey(requestedKeyPem, chain.certificate);
    const { commonName } = readSubject(chain.certificate);
    if (commonName !== project) throw invalid(`the certificate is for '${commonName}', the request was for '${project}'`);
    return await Promise.resolve(withKey(chain, requestedKeyPem));
  });
}

interface Chain {
  readonly certificate: X509Certificate;
  /** The certificate and those between it and the root; empty for a root. */
  readonly belowRoot: string;
  readonly root: string;
}

interface NewAuthority {
  readonly root: StoredRoot;
  readonly authority: StoredIdentity | undefined;
}

async function replaceAuthority(
  init: ExternalCaInit,
  find: (stored: StoredState, context: ChangeContext) => Promise<NewAuthority>,
): Promise<ExternalCaResult> {
  const { result, trust } = await changeState(await projectFolder(init), init, async (stored, context) => {
    const next = await find(stored, context);
    const state = stored.state === undefined ? firstState(next) : replaceRoot(stored.state, next, context);
    return { state, requestedKeyPem: undefined, result: next };
  });
  const authority = new X509Certificate((result.authority ?? result.root).certificatePem);
  const root = new X509Certificate(result.root.certificatePem);
  return { authority: readSubject(authority).commonName, root: readSubject(root).commonName, validUntil: authority.validToDate, trust };
}

async function projectFolder({ workspace, project }: ExternalCaInit): Promise<string> {
  const name = projectNameSchema.safeParse(project);
  if (!name.success) throw new FlareError("project/invalid", `'${project}' cannot be the name of a project.`, { facts: { project } });
  const dir = resolve(workspace, name.data);
  await makeFolder(join(dir, "state"), { mode: 0o700 });
  return dir;
}

function withKey({ belowRoot, root }: Chain, keyPem: string): NewAuthority {
  if (belowRoot === "") return { root: { certificatePem: root, privateKeyPem: keyPem }, authority: undefined };
  return { root: { certificatePem: root, privateKeyPem: undefined }, authority: { certificatePem: belowRoot, privateKeyPem: keyPem } };
}

/** Reads a chain from an authority up to its root, each signed by the next. */
function readChain(chainPem: string, now: Date): Chain {
  const pems = splitPem("CERTIFICATE", chainPem);
  let certificates: X509Certificate[];
  try {
    certificates = pems.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw invalid("a certificate cannot be read", cause);
  }
  const [first] = certificates;
  const [root = ""] = pems.slice(-1);
  if (first === undefined) throw invalid("there is no certificate in PEM");
  const roots = readRoots(root);
  if ("problem" in roots) throw invalid(`the last certificate must be the root: ${roots.problem}`);
  for (const [index, certificate] of certificates.entries()) {
    const who = `the certificate of '${readSubject(certificate).commonName}'`;
    const issuer = certificates[index + 1] ?? certificate;
    if (!certificate.ca) throw invalid(`${who} is not one that issues certificates`);
    if (!isIssuedBy(certificate, issuer)) throw invalid(`${who} was not issued by the one that follows it`);
    const weakness = weaknessOf(certificate.publicKey);
    if (weakness !== undefined) throw invalid(`the key of ${who} is refused: ${weakness}`);
    const unknown = index === certificates.length - 1 ? undefined : unknownExtensionOf(certificate);
    if (unknown !== undefined) throw invalid(`${who} has the critical extension ${unknown}, which participants do not know and refuse`);
    if (certificate.validFromDate > now || certificate.validToDate <= now) throw invalid(`${who} is not good now`);
  }
  if (roomBelow(certificates) < 0) throw invalid("by their path lengths, those above it allow no authority below themselves");
  return { certificate: first, belowRoot: pems.slice(0, -1).join(""), root };
}

function readKey(pem: string, certificate: X509Certificate): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause may quote the key.
    throw invalid("the private key cannot be read; it must be in PEM and not encrypted");
  }
  if (!certificate.checkPrivateKey(key)) throw invalid("the private key does not belong to the first certificate");
  return key;
}

function invalid(why: string, cause?: unknown): FlareError {
  return new FlareError("project/external-ca-invalid", `The external CA cannot be used: ${why}.`, cause === undefined ? {} : { cause });
}
