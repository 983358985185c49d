import { FlareError } from "@flare-ts/contracts";
import type { CaKeySource } from "@flare-ts/provision";
import type { Command } from "commander";
import type { CommandContext } from "../command-line/command-context.js";
import { caPassphrase } from "./ca-passphrase.js";

/** What the command line says about the private keys of a workspace. */
export interface WorkspaceCaKeyOptions {
  readonly passphraseFile: string | undefined;
  readonly isClear: boolean;
}

/** The sentence of the help that says where the passphrase comes from. */
export const caKeyHelp = `
The passphrase is the first of: --ca-passphrase-file, FLARE_CA_PASSPHRASE, what is typed when it is asked for.
`;

/** Adds the options that say how the private keys of a workspace are kept. */
export function addCaKeyOptions(command: Command): Command {
  return command
    .option("--ca-passphrase-file <file>", "file with the passphrase that seals the private keys of the workspace")
    .option("--clear-ca-key", "keep the private keys of the workspace in clear text");
}

/** Reads those options. */
export function caKeyOptions(flags: Readonly<Record<string, unknown>>): WorkspaceCaKeyOptions {
  return { passphraseFile: flags["caPassphraseFile"] as string | undefined, isClear: flags["clearCaKey"] === true };
}

/**
 * How the private keys of a workspace are kept: sealed, unless it was said otherwise, now or when the workspace was made.
 *
 * @throws FlareError `cli/invalid-arguments`, and as `caPassphrase`
 */
export function workspaceCaKey(context: CommandContext, options: WorkspaceCaKeyOptions & { readonly makesKits: boolean }): CaKeySource {
  const { passphraseFile, isClear, makesKits } = options;
  if (isClear && passphraseFile !== undefined) {
    throw new FlareError("cli/invalid-arguments", "--clear-ca-key and --ca-passphrase-file exclude each other.");
  }
  return async (stored) => {
    const isGiven = passphraseFile !== undefined || (context.env["FLARE_CA_PASSPHRASE"] ?? "") !== "";
    if (isClear || (stored === "clear" && !makesKits && !isGiven)) return "clear";
    return { passphrase: await caPassphrase(context, { file: passphraseFile, isNew: stored !== "sealed" }) };
  };
}
