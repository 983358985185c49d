import type { WorkspaceCaKeyOptions } from "../../ca-key/workspace-ca-key.js";

/** What every command of the CA's holder is given that changes the trust list. */
export interface HolderOptions extends WorkspaceCaKeyOptions {
  readonly workspace: string;
  readonly project: string | undefined;
  readonly startupKit: string | undefined;
  readonly isPushed: boolean;
}
