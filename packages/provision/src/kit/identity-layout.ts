import { join } from "node:path";

/** Folder in a kit's workspace for what changes in the life of an identity: the trust list in force, renewed certificates and keys. */
export function identityFolderOf(workspace: string): string {
  return join(workspace, "identity");
}

/** File in it that names the folder of the renewed certificate in force. */
export const currentIdentityFile = "current";
