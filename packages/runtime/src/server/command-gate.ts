import { type AuthorizationRequest, defaultStudy, FlareError, type Json, limits, type Right } from "@flare-ts/contracts";
import type { SignedCommand } from "@flare-ts/contracts/wire";
import type { TrustKeeper } from "@flare-ts/provision/kit";
import { type CommandVerb, type VerifiedCommand, verifyCommand } from "../admin/signed-command.js";
import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText } from "../logging/logger.js";
import { isOperationVerb, type OperationVerb } from "../operate/operation-verbs.js";
import type { Identity } from "../session/identity.js";
import type { JobRecord, ServerStore } from "../store/server-store.js";
import type { StudyRegistry } from "../study/study-registry.js";
import { requireMember } from "../study/study-rights.js";
import { isStudyVerb, requireStudyRole, type StudyVerb } from "../study/study-verbs.js";
import type { CallContext } from "../transport/connection.js";
import { SeenCommands } from "./seen-commands.js";

/** The arguments of a command, as they were sent. */
export type Arguments = Readonly<Record<string, Json>>;

/** An admin who was let in, and the study that the command is for, of which the admin is a user. */
export interface Caller {
  readonly identity: Identity;
  readonly study: string;
}

/** A command that was let in. */
export interface AdmittedCommand {
  readonly verb: CommandVerb;
  readonly args: Arguments;
  readonly caller: Caller;
}

export interface CommandGateComponents {
  readonly store: Pick<ServerStore, "job">;
  readonly studies: Pick<StudyRegistry, "studies">;
  readonly keeper: Pick<TrustKeeper, "trust">;
  readonly now: () => number;
  readonly audit: AuditLog;
  /** The server's own policy. */
  readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
}

/**
 * Lets commands of admins in: each is verified by its signature, once, of a user of its study, allowed by the server's policy, and audited.
 * On those about participants the policy is asked later, for each participant.
 */
export class CommandGate {
  readonly #parts: CommandGateComponents;
  /** Commands by session; each counts once. */
  readonly #seen = new Map<string, SeenCommands>();

  constructor(components: CommandGateComponents) {
    this.#parts = components;
  }

  /** @throws FlareError `auth/command-invalid`, `auth/not-authorized`, `study/unknown` and its kin */
  async admit(context: CallContext, signed: SignedCommand): Promise<AdmittedCommand> {
    const { identity, sessionId } = context;
    const { audit, keeper, studies, now } = this.#parts;
    let verb = "unknown";
    let study: string | undefined;
    try {
      const command = verifyCommand(signed, { identity, sessionId, trust: keeper.trust, nowMs: now() });
      ({ verb, study } = command);
      this.#refuseRepetition(identity, sessionId, command);
      requireMember(studies.studies, study, identity);
      await this.#authorize(identity, command);
      // Those are decided on for each participant that they name, and written down so.
      if (!isOperationVerb(verb))
        audit.write({ who: identity.name, action: verb, ...studyField(study), outcome: "allowed", facts: briefly(command.args) });
      return { verb: command.verb, args: command.args, caller: { identity, study } };
    } catch (reason) {
      const error = FlareError.from(reason);
      const { code, message } = error;
      audit.write({ who: identity.name, action: verb, ...studyField(study), outcome: "refused", code, reason: message });
      throw error;
    }
  }

  /** A job of a study; one of another is as if it were not there. */
  async jobOf(study: string, jobId: string): Promise<JobRecord | undefined> {
    const job = await this.#parts.store.job(jobId);
    return job?.study === study ? job : undefined;
  }

  /** A session is over: its nonces are forgotten. */
  forgetSession(sessionId: string): void {
    this.#seen.delete(sessionId);
  }

  #refuseRepetition(identity: Identity, sessionId: string, command: VerifiedCommand): void {
    const seen = this.#seen.get(sessionId) ?? new SeenCommands();
    this.#seen.set(sessionId, seen);
    if (seen.isFirst(command)) return;
    throw new FlareError("auth/command-invalid", `A command of ${identity.name} is refused: it was sent before.`, {
      facts: { who: identity.name },
    });
  }

  async #authorize(identity: Identity, { study, verb, args }: VerifiedCommand): Promise<void> {
    if (verb === "enter_study" || isOperationVerb(verb)) return;
    if (isStudyVerb(verb)) {
      requireStudyRole(verb, identity);
      return;
    }
    const right = rightFor(verb, args);
    const job = typeof args["job_id"] === "string" ? await this.jobOf(study, args["job_id"]) : undefined;
    const { name, org, role } = identity;
    const submitter = job === undefined ? undefined : { name: job.submitterName, org: job.submitterOrg };
    const user = { name, org, role };
    if (this.#parts.isAllowed({ right, user, study, ...(submitter === undefined ? {} : { submitter }) })) return;
    const needed = right === verb ? "" : `, which needs the right ${right}`;
    throw new FlareError("auth/not-authorized", `${name} (${role} of ${org}) may not ${verb} here${needed}.`, {
      facts: { who: name, role, right },
    });
  }
}

/** The right that a command needs. Log lines may hold more than a model does, and need the same right as the result. */
function rightFor(verb: Exclude<CommandVerb, StudyVerb | OperationVerb | "enter_study">, args: Arguments): Right {
  if (verb === "watch_job" || verb === "get_receipts") return "get_job_meta";
  if (verb === "watch_system") return "check_status";
  if (verb !== "watch_job_output" && verb !== "read_job_output") return verb;
  return args["lines_after"] === undefined ? "get_job_meta" : "download_job";
}

function studyField(study: string | undefined): { readonly study?: string } {
  return study === undefined || study === defaultStudy ? {} : { study: capPeerText(study) };
}

/** Arguments as they may stand in a line of the audit log. */
function briefly(args: Arguments): Arguments {
  const text = JSON.stringify(args);
  return text.length <= limits.peerTextChars ? args : { cut: capPeerText(text) };
}
