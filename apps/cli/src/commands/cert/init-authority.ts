import { resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { type WorkspaceCaKeyOptions, workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";

/** What `flare cert init` is given. */
export interface InitAuthorityOptions extends WorkspaceCaKeyOptions {
  readonly profile: string;
  readonly outputDir: string;
  readonly org: string | undefined;
  readonly validDays: number | undefined;
  readonly deployVersion: string;
  readonly isForced: boolean;
}

/**
 * Makes the certificate authority of a project.
 *
 * @throws FlareError `cli/invalid-arguments`, and what `initAuthority` throws.
 */
export async function initAuthorityCommand(context: CommandContext, options: InitAuthorityOptions): Promise<CommandOutput> {
  const { isClear, passphraseFile, deployVersion } = options;
  if (!/^\d{2,6}$/.test(deployVersion)) {
    throw new FlareError("cli/invalid-arguments", `--deploy-version ${deployVersion} is no number of two digits or more.`);
  }
  const source = workspaceCaKey(context, { passphraseFile, isClear, makesKits: true });
  const caKey = typeof source === "function" ? await source("none") : source;
  const { initAuthority } = await import("@flare-ts/provision");
  const { project, dir, validUntil, rootFingerprint, provisionVersion, isKeySealed } = await initAuthority({
    profileFile: options.profile,
    dir: resolve(context.cwd, options.outputDir),
    org: options.org,
    validDays: options.validDays,
    deployVersion,
    isForced: options.isForced,
    caKey,
    signal: context.signal,
  });
  if (isClear)
    context.terminal.err(`${context.terminal.colors.yellow("warning:")} rootCA.key is in clear text; whoever reads it is the project`);
  return {
    data: {
      ca_dir: dir,
      project,
      valid_until: validUntil.toISOString(),
      provision_version: provisionVersion,
      rootca_fingerprint_sha256: rootFingerprint,
      is_key_sealed: isKeySealed,
    },
    text: [
      `Made the certificate authority of ${project} in ${dir}, good until ${validUntil.toISOString()}.`,
      `Fingerprint of its root certificate: ${rootFingerprint}`,
    ],
    hints: ["Keep rootCA.key and its passphrase safe, and apart: nothing can replace them."],
  };
}
