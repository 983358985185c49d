import { readFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";
import type { CaKeySource } from "../state/stored-keys.js";
import type { Flags } from "./read-flags.js";

/**
 * How the private keys of the workspace are kept, by a command line and the environment; nobody is asked.
 *
 * @throws FlareError, once it is called, `cli/passphrase-needed`, `file/unreadable`.
 */
export function caKeyOf({ passphraseFile, isClear, verb }: Flags, env: NodeJS.ProcessEnv): CaKeySource {
  return async (stored) => {
    const given = passphraseFile === undefined ? (env["FLARE_CA_PASSPHRASE"] ?? "") : await firstLine(passphraseFile);
    if (isClear || (stored === "clear" && verb !== "kits" && given === "")) return "clear";
    if (given !== "") return { passphrase: given };
    throw new FlareError("cli/passphrase-needed", "There is no passphrase in FLARE_CA_PASSPHRASE or --ca-passphrase-file.");
  };
}

async function firstLine(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { cause, facts: { file } });
  });
  return text.split(/\r?\n/)[0] ?? "";
}
