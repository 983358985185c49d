import { KeyVault } from "../state/key-vault.js";
import { readState, statePath } from "../state/project-state.js";
import { type CaKeySource, resolveCaKey } from "../state/stored-keys.js";
import { findProjectFolder, type ProjectFolderInit } from "./project-folder.js";

export interface CheckCaKeyInit extends ProjectFolderInit {
  readonly caKey: CaKeySource;
}

/**
 * Makes sure that a passphrase opens the private keys of a project; nothing is changed.
 *
 * @throws FlareError `project/not-provisioned`, `project/passphrase-missing`, `project/passphrase-wrong`, `project/state-invalid`.
 */
export async function checkCaKey({ caKey, ...init }: CheckCaKeyInit): Promise<void> {
  const projectDir = await findProjectFolder(init);
  await readState(projectDir, new KeyVault(await resolveCaKey(caKey, projectDir), statePath(projectDir)));
}
