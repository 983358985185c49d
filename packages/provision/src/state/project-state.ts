import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { KeyType } from "@flare-ts/contracts";
import { type CaState, caStateSchema, FlareError, provisionStateSchema, type Revocation } from "@flare-ts/contracts";
import { readTextIfPresent } from "../kit/read-if-present.js";
import { writeDurably } from "../kit/write-durably.js";
import type { KeyVault } from "./key-vault.js";
import { readStateDocument } from "./read-state-document.js";

/** A certificate, perhaps followed by those of its issuers below the root, with its private key; PEM. */
export interface StoredIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A root with its private key, or without where the key is elsewhere; PEM. */
export interface StoredRoot {
  readonly certificatePem: string;
  readonly privateKeyPem: string | undefined;
}

/** A certificate that was given out and has not ended. */
export interface IssuedCertificate {
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly notAfterMs: number;
}

/** What a workspace keeps from one command to the next. */
export interface ProjectState {
  /** In force: what is issued comes from it, or from the authority below it. */
  readonly root: StoredRoot;
  /** The project's own authority below a root whose key is elsewhere. */
  readonly authority: StoredIdentity | undefined;
  /** Trusted beside the root, while one takes over from the other. */
  readonly formerRoots: readonly StoredRoot[];
  /** Trusted no more; they sign trust lists for those who missed the change. */
  readonly retiredRoots: readonly StoredRoot[];
  readonly serverIssuer: StoredIdentity | undefined;
  readonly participants: ReadonlyMap<string, StoredIdentity>;
  readonly issued: readonly IssuedCertificate[];
  readonly revoked: readonly Revocation[];
  readonly trustList: { readonly number: number; readonly text: string } | undefined;
  readonly settings: { readonly keyType: KeyType; readonly leafLifetimeMs: number } | undefined;
}

/** The state of a project of which nothing is known but what issues. */
export function firstState({ root, authority }: Pick<ProjectState, "root" | "authority">): ProjectState {
  return {
    root,
    authority,
    formerRoots: [],
    retiredRoots: [],
    serverIssuer: undefined,
    participants: new Map(),
    issued: [],
    revoked: [],
    trustList: undefined,
    settings: undefined,
  };
}

/** What a workspace may hold before there is a root: a key for which an authority elsewhere is asked for a certificate. */
export interface StoredState {
  readonly state: ProjectState | undefined;
  readonly requestedKeyPem: string | undefined;
}

const folder = "state";

/** Path of the file that holds a project's root key and every participant's key. */
export function statePath(projectDir: string): string {
  return join(projectDir, folder, "cert.json");
}

/** Path of the file that holds what else the holder of the CA knows. */
export function caStatePath(projectDir: string): string {
  return join(projectDir, folder, "ca.json");
}

/**
 * Reads what the workspace keeps.
 *
 * @throws FlareError `project/state-invalid` when a file is damaged, `project/passphrase-missing`, `project/passphrase-wrong`.
 */
export async function readState(projectDir: string, vault: Pick<KeyVault, "open">): Promise<StoredState> {
  const [caText, text] = await Promise.all([readTextIfPresent(caStatePath(projectDir)), readTextIfPresent(statePath(projectDir))]);
  const ca = caText === undefined ? undefined : readStateDocument(caText, caStatePath(projectDir), caStateSchema);
  const { root_cert, root_pri_key, ...participants } =
    text === undefined ? {} : readStateDocument(text, statePath(projectDir), provisionStateSchema);
  const storedRoot = ca?.root ?? (root_cert === undefined ? undefined : { cert: root_cert, pri_key: root_pri_key });
  const openRoot = async ({ cert, pri_key }: StoredDocument, owner: string): Promise<StoredRoot> => ({
    certificatePem: cert,
    privateKeyPem: pri_key === undefined ? undefined : await vault.open(pri_key, owner),
  });
  const openIdentity = async ({ cert, pri_key }: Required<StoredDocument>, owner: string): Promise<StoredIdentity> => ({
    certificatePem: cert,
    privateKeyPem: await vault.open(pri_key, owner),
  });
  const requestedKeyPem = ca?.requested_key === undefined ? undefined : await vault.open(ca.requested_key, owners.requested);
  if (storedRoot === undefined) return { state: undefined, requestedKeyPem };
  // The root first: it shows whether the passphrase is right.
  const root = await openRoot(storedRoot, owners.root);
  const authority = ca?.authority === undefined ? undefined : await openIdentity(ca.authority, owners.authority);
  const state: ProjectState = {
    root,
    authority,
    formerRoots: await Promise.all((ca?.former_roots ?? []).map(async (one) => await openRoot(one, owners.root))),
    retiredRoots: await Promise.all((ca?.retired_roots ?? []).map(async (one) => await openRoot(one, owners.root))),
    serverIssuer: ca?.server_issuer === undefined ? undefined : await openIdentity(ca.server_issuer, owners.serverIssuer),
    participants: new Map(
      await Promise.all(
        Object.entries(participants).map(async ([name, entry]) => [name, await openIdentity(entry, ownerOf(name))] as const),
      ),
    ),
    issued: (ca?.issued ?? []).map(({ name, serial, not_after_ms }) => ({ name, serial, notAfterMs: not_after_ms })),
    revoked: ca?.revoked ?? [],
    trustList: ca?.trust_list,
    settings: ca?.settings === undefined ? undefined : { keyType: ca.settings.key_type, leafLifetimeMs: ca.settings.leaf_lifetime_ms },
  };
  if (ca?.root !== undefined && root_cert !== undefined) {
    checkRepeated(state, await openRoot({ cert: root_cert, pri_key: root_pri_key }, owners.root), statePath(projectDir));
  }
  return { state, requestedKeyPem };
}

/**
 * Makes sure that the root in `cert.json` is one that `ca.json` knows: in force, or until now where a crash came between the two.
 *
 * @throws FlareError `project/state-invalid`
 */
function checkRepeated({ root, formerRoots, retiredRoots }: ProjectState, repeated: StoredRoot, file: string): void {
  const known = [root, ...formerRoots, ...retiredRoots].find(({ certificatePem }) => certificatePem === repeated.certificatePem);
  const isOpen = repeated.privateKeyPem?.startsWith("-----BEGIN") === true;
  if (known !== undefined && (!isOpen || known.privateKeyPem === repeated.privateKeyPem)) return;
  const what = known === undefined ? "the certificate of the root is not" : "the private key of the root is not";
  throw new FlareError("project/state-invalid", `${file}: ${what} that of ca.json beside it.`, { facts: { file } });
}

/**
 * Replaces what the workspace keeps, readable for its owner only; answers how to take the change back. `cert.json` is of FLARE's
 * shape. Whatever moment a crash comes at, what is read afterwards is the old state or the new one: the root and everything about
 * it is in `ca.json`, which is written first, the participants are in `cert.json`, and each file is replaced as a whole.
 */
export async function writeState(
  projectDir: string,
  { state, requestedKeyPem }: StoredState,
  vault: KeyVault,
): Promise<() => Promise<void>> {
  const caText = await caDocument(state, requestedKeyPem, vault);
  const texts: [string, string][] = [[caStatePath(projectDir), caText]];
  if (state !== undefined) texts.push([statePath(projectDir), await certDocument(state, vault)]);
  const previous = await Promise.all(texts.map(async ([path]) => await readTextIfPresent(path)));
  const isNew = previous.every((text) => text === undefined);
  await mkdir(join(projectDir, folder), { recursive: true, mode: 0o700 });
  const takeBack = async (): Promise<void> => {
    if (isNew) await rm(join(projectDir, folder), { recursive: true, force: true });
    for (const [index, [path]] of texts.entries()) {
      const text = previous[index];
      if (text !== undefined) await writeDurably(path, text);
      else await rm(path, { force: true });
    }
  };
  try {
    for (const [path, text] of texts) await writeDurably(path, text);
  } catch (cause) {
    await takeBack().catch(() => {});
    throw cause;
  }
  return takeBack;
}

interface StoredDocument {
  readonly cert: string;
  readonly pri_key?: string | undefined;
}

/** Whose a sealed key is; a root keeps its word whether it is in force or not. */
const owners = {
  root: "the root",
  authority: "the authority",
  requested: "the requested authority",
  serverIssuer: "the server's issuer",
} as const;

function ownerOf(name: string): string {
  return `participant '${name}'`;
}

async function certDocument({ root, participants }: ProjectState, vault: KeyVault): Promise<string> {
  const rootKey = root.privateKeyPem === undefined ? {} : { root_pri_key: await vault.seal(root.privateKeyPem, owners.root) };
  const entries = await Promise.all(
    [...participants].map(async ([name, identity]) => [name, await sealIdentity(identity, ownerOf(name), vault)] as const),
  );
  return jsonText({ root_cert: root.certificatePem, ...rootKey, ...Object.fromEntries(entries) });
}

async function caDocument(state: ProjectState | undefined, requestedKeyPem: string | undefined, vault: KeyVault): Promise<string> {
  const sealRoot = async ({ certificatePem, privateKeyPem }: StoredRoot): Promise<NonNullable<CaState["root"]>> => ({
    cert: certificatePem,
    ...(privateKeyPem === undefined ? {} : { pri_key: await vault.seal(privateKeyPem, owners.root) }),
  });
  const requested = requestedKeyPem === undefined ? {} : { requested_key: await vault.seal(requestedKeyPem, owners.requested) };
  const empty: CaState = { format_version: 1, former_roots: [], retired_roots: [], issued: [], revoked: [] };
  if (state === undefined) return jsonText({ ...empty, ...requested });
  const { root, authority, serverIssuer, settings, trustList } = state;
  const document: CaState = {
    format_version: 1,
    ...(settings === undefined ? {} : { settings: { key_type: settings.keyType, leaf_lifetime_ms: settings.leafLifetimeMs } }),
    root: await sealRoot(root),
    ...(authority === undefined ? {} : { authority: await sealIdentity(authority, owners.authority, vault) }),
    ...requested,
    former_roots: await Promise.all(state.formerRoots.map(sealRoot)),
    retired_roots: await Promise.all(state.retiredRoots.map(sealRoot)),
    ...(serverIssuer === undefined ? {} : { server_issuer: await sealIdentity(serverIssuer, owners.serverIssuer, vault) }),
    issued: state.issued.map(({ name, serial, notAfterMs }) => ({ name, serial, not_after_ms: notAfterMs })),
    revoked: [...state.revoked],
    ...(trustList === undefined ? {} : { trust_list: trustList }),
  };
  return jsonText(document);
}

async function sealIdentity(
  { certificatePem, privateKeyPem }: StoredIdentity,
  owner: string,
  vault: KeyVault,
): Promise<{ cert: string; pri_key: string }> {
  return { cert: certificatePem, pri_key: await vault.seal(privateKeyPem, owner) };
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
