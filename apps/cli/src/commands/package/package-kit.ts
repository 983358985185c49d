import { resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { flareHome } from "../cert/flare-home.js";

/** What `flare package` is given. */
export interface PackageKitOptions {
  readonly signed: string;
  readonly workspace: string;
  readonly requestDir: string | undefined;
  readonly fingerprints: readonly string[];
  readonly isForced: boolean;
}

/**
 * Makes a startup kit from an approval and the private key of this machine.
 *
 * @throws FlareError `cli/invalid-arguments`, and what `packageKit` throws.
 */
export async function packageKitCommand(context: CommandContext, options: PackageKitOptions): Promise<CommandOutput> {
  const [fingerprint, other] = options.fingerprints;
  if (other !== undefined)
    throw new FlareError("cli/invalid-arguments", "--fingerprint and --expected-fingerprint are the same; give one.");
  const { packageKit } = await import("@flare-ts/provision");
  const kit = await packageKit({
    archive: resolve(context.cwd, options.signed),
    workspace: resolve(context.cwd, options.workspace),
    requestDir: options.requestDir === undefined ? undefined : resolve(context.cwd, options.requestDir),
    fingerprint,
    isForced: options.isForced,
    home: flareHome(context),
    signal: context.signal,
  });
  const { terminal } = context;
  const warnings = kit.warnings.map(({ message }) => message);
  for (const warning of warnings) terminal.err(`${terminal.colors.yellow("warning:")} ${warning}`);
  return {
    data: {
      project: kit.claim.project,
      name: kit.claim.name,
      type: kit.type,
      dir: kit.dir,
      valid_until: kit.validUntil,
      rootca_fingerprint_sha256: kit.rootFingerprint,
      is_fingerprint_checked: kit.isFingerprintChecked,
      warnings,
    },
    text: [`Startup kit of ${kit.claim.name}: ${kit.dir}`],
    hints: kit.isFingerprintChecked
      ? []
      : [
          `The root certificate was not compared with anything. Ask the project admin, over another way, whether its fingerprint is`,
          kit.rootFingerprint,
        ],
  };
}
