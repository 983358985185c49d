import { basename, join } from "node:path";
import { writeDurably } from "../kit/write-durably.js";
import { KeyVault } from "../state/key-vault.js";
import { type ProjectState, readState, type StoredState, statePath, writeState } from "../state/project-state.js";
import { type CaKeySource, resolveCaKey } from "../state/stored-keys.js";
import { lockWorkspace } from "../state/workspace-lock.js";
import { revocationLists } from "./revocation-lists.js";

/** What every command of the CA's holder is given. */
export interface ChangeInit {
  readonly caKey: CaKeySource;
  /** @default the present */
  readonly now?: Date | undefined;
}

export interface ChangeContext {
  readonly project: string;
  /** For messages. */
  readonly stateFile: string;
  readonly now: Date;
}

/** The trust list of a project, and where it was written. */
export interface PublishedTrust {
  readonly number: number;
  readonly trustListText: string;
  /** Absolute paths. */
  readonly trustListFile: string;
  readonly revocationListFile: string;
}

/**
 * Reads a project's state, changes it and writes it, under the workspace's lock. When the change made a trust list, it stands in
 * `state/trust.json` afterwards, and for other tools in `state/crl.pem`.
 */
export async function changeState<Result>(
  projectDir: string,
  { caKey, now = new Date() }: ChangeInit,
  change: (stored: StoredState, context: ChangeContext) => Promise<StoredState & { readonly result: Result }>,
): Promise<{ readonly result: Result; readonly trust: PublishedTrust | undefined }> {
  const unlock = await lockWorkspace(projectDir);
  try {
    const stateFile = statePath(projectDir);
    const vault = new KeyVault(await resolveCaKey(caKey, projectDir), stateFile);
    const stored = await readState(projectDir, vault);
    const { result, ...next } = await change(stored, { project: basename(projectDir), stateFile, now });
    await writeState(projectDir, next, vault);
    return { result, trust: next.state === undefined ? undefined : await publishTrust(projectDir, next.state, now) };
  } finally {
    await unlock();
  }
}

/** Writes the files that others are given; they are made from the state and can be made again. */
async function publishTrust(projectDir: string, state: ProjectState, now: Date): Promise<PublishedTrust | undefined> {
  if (state.trustList === undefined) return undefined;
  const { number, text } = state.trustList;
  const [trustListFile, revocationListFile] = [join(projectDir, "state", "trust.json"), join(projectDir, "state", "crl.pem")];
  await writeDurably(trustListFile, text);
  await writeDurably(revocationListFile, await revocationLists(state, now));
  return { number, trustListText: text, trustListFile, revocationListFile };
}
