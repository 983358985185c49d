import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { CommandContext } from "../command-line/command-context.js";
import { askSecret, canAsk } from "../terminal/ask-secret.js";

export interface CaPassphraseInit {
  /** A file whose first line is the passphrase. */
  readonly file: string | undefined;
  /** Whether it is chosen now, and so typed twice. */
  readonly isNew: boolean;
}

/**
 * The passphrase of the authority's private key: from a file, from FLARE_CA_PASSPHRASE, or typed.
 *
 * @throws FlareError `cli/passphrase-needed`, `cli/invalid-arguments`, `file/not-found`, `file/unreadable`.
 */
export async function caPassphrase({ cwd, env, signal }: CommandContext, { file, isNew }: CaPassphraseInit): Promise<string> {
  const given = file === undefined ? env["FLARE_CA_PASSPHRASE"] : await readPassphrase(resolve(cwd, file));
  if (given !== undefined && given !== "") return given;
  if (!canAsk()) {
    throw new FlareError(
      "cli/passphrase-needed",
      "There is no passphrase for the private key of the authority in FLARE_CA_PASSPHRASE or --ca-passphrase-file, and nobody can be asked.",
    );
  }
  const typed = await askSecret("Passphrase of the authority's key: ", signal);
  if (typed === "") throw new FlareError("cli/passphrase-needed", "The passphrase is empty.");
  if (isNew && (await askSecret("The same again: ", signal)) !== typed) {
    throw new FlareError("cli/invalid-arguments", "The two passphrases differ.");
  }
  return typed;
}

async function readPassphrase(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (isMissing) throw new FlareError("file/not-found", `There is no file ${file}.`, { cause, facts: { file } });
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { cause, facts: { file } });
  });
  const [line = ""] = text.split(/\r?\n/);
  if (line === "") throw new FlareError("cli/passphrase-needed", `${file} holds no passphrase.`, { facts: { file } });
  return line;
}
