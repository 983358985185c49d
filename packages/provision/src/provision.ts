import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FlareError, limits, type Problem } from "@flare-ts/contracts";
import { trustedRootsPem } from "./authority/trusted-roots.js";
import { makeFolder } from "./kit/make-folder.js";
import { archiveKits, archiveName } from "./kits/archive-kits.js";
import { folderMode } from "./kits/kit-writer.js";
import { signAgain } from "./kits/sign-again.js";
import { writeKits } from "./kits/write-kits.js";
import { createIdentities } from "./pki/project-identities.js";
import { ProjectPlugins } from "./plugins/project-plugins.js";
import type { AddedParticipant } from "./project/add-participants.js";
import { parseProject } from "./project/parse-project.js";
import type { Participant, Project } from "./project/project.js";
import { KeyVault } from "./state/key-vault.js";
import { type ProjectState, readState, type StoredIdentity, statePath, writeState } from "./state/project-state.js";
import { type CaKeySource, resolveCaKey } from "./state/stored-keys.js";
import { lockWorkspace } from "./state/workspace-lock.js";

export interface ProvisionInit {
  /** Path of project.yml. */
  readonly projectFile: string;
  /** Folder that keeps the projects; made when it does not exist. */
  readonly workspace: string;
  /** How private keys are kept: sealed by a passphrase, or in clear text. A workspace in clear text is sealed once a passphrase is given. */
  readonly caKey: CaKeySource;
  /** From when certificates are good. @default the present */
  readonly now?: Date;
  /** Path of a file with name, org and role of one more admin, for this run; the project file stays as it is. */
  readonly addUserFile?: string;
  /** Path of a file with name and org of one more client, for this run. */
  readonly addClientFile?: string;
  /** Folder that the project's own builders and packagers lie below. @default the current folder */
  readonly customFolder?: string;
  /** Whether `start_all.sh`, which starts everything on one machine, is written beside the kits. @default false */
  readonly startAll?: boolean;
  /** Called with the project's folder before anything is written, when it is there already; to throw stops the run. */
  readonly onExisting?: (projectDir: string) => void | Promise<void>;
  /** Whether each kit is also put into an encrypted archive beside its folder. @default false */
  readonly archives?: boolean;
  /** Aborting leaves the workspace as it was. */
  readonly signal?: AbortSignal;
}

/** One startup kit that was written. */
export interface ProvisionedKit {
  readonly name: string;
  readonly type: Participant["type"];
  /** Absolute path of its folder. */
  readonly dir: string;
  readonly identity: KitIdentity;
  /** Where archives were asked for. */
  readonly archive?: KitArchive;
}

/**
 * How the identity in a kit compares with what earlier runs made for its participant: there was none, the same, another certificate for
 * the same key, as when the last one was about to end, or another key, as after a revocation.
 */
export type KitIdentity = "new" | "kept" | "new-certificate" | "new-key";

/** A kit in a zip file that is encrypted with AES-256. */
export interface KitArchive {
  /** Absolute path. */
  readonly file: string;
  /** Opens the archive; to be shown once, it stands nowhere else. */
  readonly passphrase: string;
}

export interface ProvisionResult {
  /** Absolute path, `<workspace>/<project>/prod_NN`. */
  readonly prodDir: string;
  /** In the order of the project file. */
  readonly kits: readonly ProvisionedKit[];
  /** What the project file asks for and has no effect, each with its line. */
  readonly warnings: readonly Problem[];
}

/**
 * Makes a startup kit for every participant of a project, in the next free `prod_NN` of its workspace. The workspace
 * keeps root key and certificates in `state/cert.json`, so that provisioning again extends the same federation. Either
 * all kits are written or nothing is.
 *
 * @throws FlareError `file/not-found`, `file/unreadable`, `file/unwritable`, `project/*`, `internal/aborted`.
 */
export async function provision(init: ProvisionInit): Promise<ProvisionResult> {
  try {
    const text = await readProjectFile(init.projectFile);
    const added = [...(await readAdded("admin", init.addUserFile)), ...(await readAdded("client", init.addClientFile))];
    return await provisionProject(parseProject(text, init.projectFile, { added, startAll: init.startAll === true }), init);
  } catch (cause) {
    throw asFlareError(cause);
  }
}

async function provisionProject(
  project: Project,
  { workspace, caKey, customFolder = ".", archives = false, onExisting, now = new Date(), signal }: ProvisionInit,
): Promise<ProvisionResult> {
  signal?.throwIfAborted();
  const projectDir = resolve(workspace, project.name);
  const plugins = await ProjectPlugins.load({ project, customFolder: resolve(customFolder), projectDir, signal });
  if (onExisting !== undefined && existsSync(projectDir)) await onExisting(projectDir);
  const firstMade = await makeFolder(projectDir, { mode: folderMode });
  try {
    const unlock = await lockWorkspace(projectDir);
    try {
      await removeDrafts(projectDir);
      return await buildProd({ project, plugins, projectDir, caKey, archives, now, signal });
    } finally {
      await unlock();
    }
  } catch (cause) {
    if (firstMade !== undefined) await removeEmpty(projectDir, firstMade);
    throw cause;
  }
}

interface BuildInit {
  readonly project: Project;
  readonly plugins: ProjectPlugins;
  readonly projectDir: string;
  readonly caKey: CaKeySource;
  readonly archives: boolean;
  readonly now: Date;
  readonly signal: AbortSignal | undefined;
}

async function buildProd({ project, plugins, projectDir, caKey, archives, now, signal }: BuildInit): Promise<ProvisionResult> {
  const stateFile = statePath(projectDir);
  const vault = new KeyVault(await resolveCaKey(caKey, projectDir), stateFile);
  const stored = await readState(projectDir, vault);
  if (stored.state === undefined && stored.requestedKeyPem !== undefined) {
    throw new FlareError(
      "project/no-authority",
      `A CA elsewhere was asked for the certificate of '${project.name}', and it has not come yet.`,
      {
        facts: { file: stateFile },
      },
    );
  }
  const prodDir = join(projectDir, await nextProdName(projectDir));
  const ended = new AbortController();
  const keySignal = AbortSignal.any([ended.signal, ...(signal === undefined ? [] : [signal])]);
  const identities = await createIdentities({ project, previous: stored.state, stateFile, now, signal: keySignal });
  const { base, authority } = identities;
  signal?.throwIfAborted();
  const wip = join(projectDir, `${draftPrefix}${randomUUID()}`);
  let passphrases: ReadonlyMap<string, string> = new Map();
  let made: ProjectState | undefined;
  try {
    await plugins.initialize(wip);
    await writeKits({
      project,
      dir: wip,
      identities: identities.participants,
      rootCertificatePem: trustedRootsPem(base),
      rootKey: authority.privateKey,
      issuer: authority,
      issuing: base.serverIssuer,
      trustListText: base.trustList?.text,
      now,
      signal,
    });
    const names = project.participants.map(({ name }) => name);
    if (plugins.hasBuilders) {
      await plugins.build(wip);
      for (const name of names) await signAgain(join(wip, name), authority.privateKey);
    }
    if (archives) passphrases = await archiveKits({ dir: wip, names, now, signal });
    // The state first: kits whose root key is lost could never be extended, unused state harms nobody.
    made = await identities.state();
    const takeBack = await writeState(projectDir, { state: made, requestedKeyPem: stored.requestedKeyPem }, vault);
    try {
      await rename(wip, prodDir);
    } catch (cause) {
      await takeBack();
      throw cause;
    }
  } finally {
    ended.abort();
    await rm(wip, { recursive: true, force: true });
  }
  await plugins.package(prodDir);
  return {
    prodDir,
    kits: project.participants.map(({ name, type }) => {
      const passphrase = passphrases.get(name);
      const identity = compareIdentities(stored.state?.participants.get(name), made?.participants.get(name));
      const kit = { name, type, dir: join(prodDir, name), identity };
      return passphrase === undefined ? kit : { ...kit, archive: { file: join(prodDir, archiveName(name)), passphrase } };
    }),
    warnings: [...project.warnings, ...identities.warnings, ...plugins.warnings],
  };
}

function compareIdentities(before: StoredIdentity | undefined, now: StoredIdentity | undefined): KitIdentity {
  if (before === undefined) return "new";
  if (before.certificatePem === now?.certificatePem) return "kept";
  return before.privateKeyPem === now?.privateKeyPem ? "new-certificate" : "new-key";
}

async function nextProdName(projectDir: string): Promise<string> {
  const numbers = (await readdir(projectDir)).map((name) => Number(/^prod_(\d{2,})$/.exec(name)?.[1] ?? -1));
  return `prod_${String(Math.max(-1, ...numbers) + 1).padStart(2, "0")}`;
}

async function readAdded(type: AddedParticipant["type"], file: string | undefined): Promise<AddedParticipant[]> {
  return file === undefined ? [] : [{ type, file, text: await readProjectFile(file, "file") }];
}

async function readProjectFile(file: string, what = "project file"): Promise<string> {
  const info = await stat(file).catch((cause: unknown) => {
    throw new FlareError("file/not-found", `There is no ${what} ${file}.`, { cause, facts: { file } });
  });
  if (!info.isFile()) throw new FlareError("file/unreadable", `${file} is not a file.`, { facts: { file } });
  if (info.size > limits.documentBytes) {
    throw new FlareError("file/unreadable", `${file} has ${info.size} bytes; a ${what} has ${limits.documentBytes} at most.`, {
      facts: { file, bytes: info.size, limit: limits.documentBytes },
    });
  }
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { cause, facts: { file } });
  });
  return utf8Of(bytes, file);
}

/** What Windows writes as "Unicode", and letters of an older encoding, would come out as something else that nobody wrote. */
function utf8Of(bytes: Buffer, file: string): string {
  const text = bytes.toString("utf8");
  if (isUtf8(bytes) && !text.includes("\0")) return text;
  const line = text.slice(0, text.search(/[\0\uFFFD]/)).split("\n").length;
  const message = "this is not text in UTF-8, as YAML is written; save the file in that encoding";
  throw new FlareError("project/invalid", `${file} has a mistake.`, { problems: [{ file, line, column: 1, message }], facts: { file } });
}

/** How the names of folders begin in which kits are written before all of them are there. */
const draftPrefix = ".wip-provision-";

/** Removes what runs that were killed have left, private keys among it; to be called while the workspace is locked. */
async function removeDrafts(projectDir: string): Promise<void> {
  const drafts = (await readdir(projectDir)).filter((name) => name.startsWith(draftPrefix));
  for (const name of drafts) await rm(join(projectDir, name), { recursive: true, force: true });
}

/** Removes the folders that this run made, from the innermost to the first, as long as they are empty. */
async function removeEmpty(innermost: string, first: string): Promise<void> {
  for (let dir = innermost; dir.length >= first.length; dir = join(dir, "..")) {
    try {
      await rmdir(dir);
    } catch {
      return;
    }
  }
}

function asFlareError(cause: unknown): FlareError {
  const { code, path } = cause as NodeJS.ErrnoException;
  const isOfFileSystem = !(cause instanceof FlareError) && typeof code === "string" && typeof path === "string";
  if (!isOfFileSystem) return FlareError.from(cause);
  return new FlareError("file/unwritable", `Cannot write ${path} (${code}).`, { cause, facts: { file: path, reason: code } });
}
