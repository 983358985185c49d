import { basename, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { RequestSummary } from "@flare-ts/provision";
import { type WorkspaceCaKeyOptions, workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { canAsk } from "../../terminal/ask-secret.js";
import { askYes } from "../../terminal/ask-yes.js";
import { flareHome } from "./flare-home.js";
import { warnOfAudit } from "./warn-of-audit.js";

/** What `flare cert approve` is given. */
export interface ApproveRequestOptions extends WorkspaceCaKeyOptions {
  readonly request: string;
  readonly caDir: string;
  readonly profile: string;
  readonly out: string | undefined;
  readonly validDays: number | undefined;
  readonly isForced: boolean;
  readonly isSure: boolean;
}

/**
 * Shows what a request asks for, and issues the certificate when a person says so.
 *
 * @throws FlareError `cli/not-confirmed`, and what `approveRequest` throws.
 */
export async function approveRequestCommand(context: CommandContext, options: ApproveRequestOptions): Promise<CommandOutput> {
  const { approveRequest } = await import("@flare-ts/provision");
  const approved = await approveRequest({
    archive: resolve(context.cwd, options.request),
    authorityDir: resolve(context.cwd, options.caDir),
    profileFile: options.profile,
    out: options.out === undefined ? undefined : resolve(context.cwd, options.out),
    validDays: options.validDays,
    isForced: options.isForced,
    caKey: workspaceCaKey(context, { ...options, makesKits: false }),
    confirm: async (summary) => await confirm(context, summary, options.isSure),
    home: flareHome(context),
    signal: context.signal,
  });
  warnOfAudit(context, approved.audit);
  const { terminal } = context;
  if (approved.clearKeyFile !== undefined) {
    terminal.err(`${terminal.colors.yellow("warning:")} ${approved.clearKeyFile} is in clear text; its sealed copy is enough, delete it`);
  }
  const { claim } = approved;
  return {
    data: {
      request_id: approved.requestId,
      project: claim.project,
      name: claim.name,
      org: claim.org,
      kind: claim.kind,
      cert_type: claim.certificateType,
      hosts: [...approved.hosts],
      public_key_sha256: approved.publicKeySha256,
      serial: approved.serial,
      valid_until: approved.validUntil.toISOString(),
      provision_version: approved.provisionVersion,
      signed_zip: approved.archive,
      rootca_fingerprint_sha256: approved.rootFingerprint,
      audit: "file" in approved.audit ? approved.audit.file : null,
    },
    text: [
      `Approved ${claim.name}: ${approved.archive}`,
      `Its certificate is good until ${approved.validUntil.toISOString()}.`,
      `Fingerprint of the root certificate: ${approved.rootFingerprint}`,
    ],
    hints: [`Next: send ${basename(approved.archive)} back, and the fingerprint over another way, such as the telephone.`],
  };
}

async function confirm({ terminal, format, signal }: CommandContext, summary: RequestSummary, isSure: boolean): Promise<boolean> {
  for (const line of summaryLines(summary)) terminal.err(line);
  if (isSure) return true;
  if (!canAsk() || format !== "txt")
    throw new FlareError("cli/not-confirmed", "Approving a request needs --yes where nobody can be asked.");
  return await askYes("Issue this certificate?", signal);
}

function summaryLines({ claim, hosts, createdAt, publicKeySha256, validUntil, requestId, isNameTaken }: RequestSummary): string[] {
  return [
    `project      ${claim.project}`,
    `name         ${claim.name}`,
    `organisation ${claim.org}`,
    `role         ${claim.certificateType}`,
    `host names   ${hosts.join(", ")}`,
    `public key   SHA-256 ${publicKeySha256}`,
    `asked        ${createdAt}, request ${requestId}`,
    `good until   ${validUntil.toISOString()}`,
    ...(isNameTaken ? ["careful: a certificate of this name was issued before, for another key"] : []),
  ];
}
