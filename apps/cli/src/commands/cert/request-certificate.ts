import { basename, resolve } from "node:path";
import type { KeyType } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { flareHome } from "./flare-home.js";
import { warnOfAudit } from "./warn-of-audit.js";

/** What `flare cert request` is given. */
export interface RequestCertificateOptions {
  readonly participant: string;
  readonly out: string | undefined;
  readonly keyType: KeyType;
  readonly isForced: boolean;
}

/** Makes a private key and a request for a certificate. */
export async function requestCertificateCommand(context: CommandContext, options: RequestCertificateOptions): Promise<CommandOutput> {
  const { requestCertificate } = await import("@flare-ts/provision");
  const made = await requestCertificate({
    participantFile: options.participant,
    dir: options.out === undefined ? undefined : resolve(context.cwd, options.out),
    baseDir: context.cwd,
    keyType: options.keyType,
    isForced: options.isForced,
    home: flareHome(context),
    signal: context.signal,
  });
  warnOfAudit(context, made.audit);
  const { claim } = made;
  return {
    data: {
      request_id: made.requestId,
      project: claim.project,
      name: claim.name,
      org: claim.org,
      kind: claim.kind,
      cert_type: claim.certificateType,
      request_dir: made.dir,
      request_zip: made.archive,
      private_key: made.privateKey,
      public_key_sha256: made.publicKeySha256,
      audit: "file" in made.audit ? made.audit.file : null,
    },
    text: [
      `Request of ${claim.name} (${claim.certificateType}) for the project ${claim.project}: ${made.archive}`,
      `Public key: SHA-256 ${made.publicKeySha256}`,
    ],
    hints: [
      `Next: send ${basename(made.archive)} to the project admin.`,
      `${made.privateKey} is the private key. It stays here; nobody else ever needs it.`,
    ],
  };
}
