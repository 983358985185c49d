import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { defaultStudy, FlareError, type Json } from "@flare-ts/contracts";
import { type SignedCommand, SignedCommandSchema } from "@flare-ts/contracts/wire";
import { isSignedBy, type ProjectTrust, signBytes } from "@flare-ts/provision/kit";
import { z } from "zod";
import { operationVerbs } from "../operate/operation-verbs.js";
import type { Identity } from "../session/identity.js";
import { fingerprintOf } from "../session/project-keys.js";
import { verifyParticipant, verifyTrusted } from "../session/verify-certificate.js";
import { studyVerbs } from "../study/study-verbs.js";

/** Verbs of admins; the names are those of FLARE's console. */
export const commandVerbs = [
  "submit_job",
  "list_jobs",
  "get_job_meta",
  "abort_job",
  "download_job",
  "watch_job",
  "get_receipts",
  "check_status",
  "update_trust",
  "list_renewals",
  "complete_renewal",
  "decline_renewal",
  "watch_system",
  "watch_job_output",
  "read_job_output",
  "clone_job",
  "delete_job",
  "enter_study",
  ...studyVerbs,
  ...operationVerbs,
] as const;
export type CommandVerb = (typeof commandVerbs)[number];

const commandSchema = z.strictObject({
  project: z.string(),
  session_id: z.string(),
  /** @default the study of everybody */
  study: z.string().max(64).optional(),
  verb: z.enum(commandVerbs),
  args: z.record(z.string(), z.json()),
  nonce: z.string().max(64),
  issued_at_ms: z.number(),
});

/** A command whose signature was verified. */
export interface VerifiedCommand {
  /** Study that it is for; nobody has looked whether there is one of that name. */
  readonly study: string;
  readonly verb: CommandVerb;
  readonly args: Readonly<Record<string, Json>>;
  readonly nonce: string;
  /** When it was signed, by the admin's clock. */
  readonly issuedAtMs: number;
}

const label = Buffer.from("flare-ts/1 command\0");

/** Signs a command for one session and one study: it is worth nothing in another, nor in another project. */
export function signCommand(init: {
  readonly verb: CommandVerb;
  readonly args: Readonly<Record<string, Json>>;
  readonly project: string;
  /** @default the study of everybody */
  readonly study?: string;
  readonly sessionId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly nowMs: number;
}): SignedCommand {
  const { verb, args, project, study = defaultStudy, sessionId, certificatePem, privateKeyPem, nowMs } = init;
  const command = {
    project,
    session_id: sessionId,
    // Servers of versions that know no studies take a command of the study of everybody as it always was.
    ...(study === defaultStudy ? {} : { study }),
    verb,
    args,
    nonce: randomBytes(16).toString("hex"),
    issued_at_ms: nowMs,
  };
  const commandJson = Buffer.from(JSON.stringify(command));
  const signature = signBytes(Buffer.concat([label, commandJson]), createPrivateKey(privateKeyPem));
  return create(SignedCommandSchema, { commandJson, certificate: certificatePem, signature });
}

/**
 * Verifies that a command was signed by the key of this session's certificate, which the project still trusts, for this session and
 * project.
 *
 * @throws FlareError `auth/command-invalid`, `auth/certificate-revoked` and its kin
 */
export function verifyCommand(
  command: SignedCommand,
  expected: { readonly identity: Identity; readonly sessionId: string; readonly trust: ProjectTrust; readonly nowMs: number },
): VerifiedCommand {
  const { identity, sessionId, trust, nowMs } = expected;
  const refuse = refusalOf(identity.name);
  const certificate = readCertificate(command.certificate);
  if (certificate === undefined || !isOfSession(certificate, identity, nowMs)) return refuse("its certificate is not that of the session");
  verifyTrusted({ chainPem: identity.chainPem, trust, nowMs });
  if (trust.isRevoked(certificate)) return refuse("its certificate is revoked");
  const signed = readSigned(command, certificate, trust, refuse);
  if (signed.sessionId !== sessionId) return refuse("it was signed for another session");
  return signed.command;
}

/** A command that a site verified for itself, and who gave it. */
export interface VerifiedSiteCommand extends VerifiedCommand {
  readonly identity: Identity;
}

/**
 * Verifies at a site that a command was signed by an admin of the project, whatever the server says of it. For which session it was signed
 * only the server knows; what makes it good here, and once, is the attachment of the site that it names.
 *
 * @throws FlareError `auth/command-invalid`, `auth/certificate-revoked` and its kin
 */
export function verifySiteCommand(
  command: SignedCommand,
  { trust, nowMs }: { readonly trust: ProjectTrust; readonly nowMs: number },
): VerifiedSiteCommand {
  const identity = verifyParticipant({ chainPem: command.certificate, trust, nowMs });
  const refuse = refusalOf(identity.name);
  if (identity.kind !== "admin") return refuse("its certificate is not that of an admin");
  const certificate = new X509Certificate(command.certificate);
  return { ...readSigned(command, certificate, trust, refuse).command, identity };
}

type Refuse = (why: string) => never;

function refusalOf(who: string): Refuse {
  return (why) => {
    throw new FlareError("auth/command-invalid", `A command of ${who} is refused: ${why}.`, { facts: { who, why } });
  };
}

/** What a command says, when its signature is good and it is of this project. */
function readSigned(
  { commandJson, signature }: SignedCommand,
  certificate: X509Certificate,
  trust: ProjectTrust,
  refuse: Refuse,
): { readonly command: VerifiedCommand; readonly sessionId: string } {
  if (!isSignedBy(Buffer.concat([label, commandJson]), signature, certificate.publicKey)) return refuse("its signature is wrong");
  const parsed = commandSchema.safeParse(readJson(commandJson));
  if (!parsed.success) return refuse("it has not the form of a command");
  const { study = defaultStudy, verb, args, nonce, session_id: sessionId, project, issued_at_ms: issuedAtMs } = parsed.data;
  if (project !== trust.project) return refuse("it was signed for another project");
  return { command: { study, verb, args, nonce, issuedAtMs }, sessionId };
}

/** Also one that was renewed meanwhile: a command may be overtaken by the registration with the next. */
function isOfSession(certificate: X509Certificate, { fingerprint, formerFingerprints = [] }: Identity, nowMs: number): boolean {
  const shown = fingerprintOf(certificate);
  return shown === fingerprint || (formerFingerprints.includes(shown) && nowMs <= Date.parse(certificate.validTo));
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}
