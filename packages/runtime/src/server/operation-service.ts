import { defaultStudy, FlareError, type Json } from "@flare-ts/contracts";
import type { SignedCommand } from "@flare-ts/contracts/wire";
import type { z } from "zod";
import type { ProcessOutcomes, TargetOutcome } from "../admin/operation-outcomes.js";
import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText, type Logger } from "../logging/logger.js";
import { disableArguments, enableArguments, processArguments } from "../operate/operation-arguments.js";
import type { OperationVerb, ProcessVerb } from "../operate/operation-verbs.js";
import type { OwnCommand, OwnProcess } from "../operate/own-process.js";
import type { PolicyCheck } from "../process/open-participant.js";
import type { StudyRegistry } from "../study/study-registry.js";
import type { Arguments, Caller } from "./command-gate.js";
import type { DisabledSites } from "./disabled-sites.js";
import { parseArguments } from "./parse-arguments.js";
import type { AwaitedStage, SiteCommands } from "./site-commands.js";
import type { AttachedSite, SiteDirectory } from "./site-directory.js";
import type { SiteExclusion } from "./site-exclusion.js";

export interface OperationServiceComponents {
  readonly directory: Pick<SiteDirectory, "get" | "known">;
  readonly studies: Pick<StudyRegistry, "studies">;
  readonly commands: Pick<SiteCommands, "send">;
  readonly disabled: Pick<DisabledSites, "get" | "disable" | "enable">;
  readonly exclusion: Pick<SiteExclusion, "exclude">;
  readonly own: Pick<OwnProcess, "check" | "perform">;
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly now: () => number;
  /** The server's own policy. */
  readonly isAllowed: PolicyCheck;
}

/** A command about participants, as it came. */
export interface Operation {
  readonly caller: Caller;
  readonly args: Arguments;
  /** As the admin signed it, for sites to verify. */
  readonly signed: SignedCommand;
}

/** A site that a command names. */
interface Target {
  readonly name: string;
  /** Organisation, where it is known. */
  readonly org: string | undefined;
}

/**
 * Commands of admins about participants: their processes, and whether a site is let in. The server's policy is asked for each by itself, as
 * if it were that participant's: `o:site` is the site that the command is about. A site asks its own policy on top.
 */
export class OperationService {
  readonly #parts: OperationServiceComponents;
  readonly #serverName: string;

  constructor(components: OperationServiceComponents, init: { readonly serverName: string }) {
    this.#parts = components;
    this.#serverName = init.serverName;
  }

  /** @throws FlareError `runtime/invalid-argument`; of a command about one site also `auth/not-authorized`, `runtime/site-unknown` */
  async answer(verb: OperationVerb, operation: Operation): Promise<Json> {
    if (verb === "disable_client") return await this.#disable(operation);
    if (verb === "enable_client") return await this.#enable(operation);
    return (await this.#process(verb, operation)) as unknown as Json;
  }

  async #process(verb: ProcessVerb, operation: Operation): Promise<ProcessOutcomes> {
    const { sites = {}, server = false, ...wanted } = this.#parsed(verb, operation, processArguments);
    const isEnd = verb === "shutdown" || verb === "restart";
    const until: AwaitedStage = wanted.is_awaited === false ? "accepted" : isEnd ? "gone" : "done";
    const atSites = Object.entries(sites).map(async ([name, attachment]): Promise<[string, TargetOutcome]> => {
      const outcome = await asOutcome(async () => {
        const site = this.#attached(verb, operation, name, attachment);
        return await this.#parts.commands.send(site, operation.signed, { until, timeoutMs: wanted.timeout_ms });
      });
      return [name, outcome];
    });
    const here = server ? await asOutcome(() => this.#here(verb, operation, wanted)) : undefined;
    return { sites: Object.fromEntries(await Promise.all(atSites)), ...(here === undefined ? {} : { server: here }) };
  }

  async #here(
    verb: ProcessVerb,
    operation: Operation,
    { level, is_trial = false }: { readonly level?: OwnCommand["level"]; readonly is_trial?: boolean | undefined },
  ): Promise<TargetOutcome> {
    const { own, isAllowed } = this.#parts;
    const { identity } = operation.caller;
    const command: OwnCommand = { verb, by: identity.name, level };
    const isAllowedHere = isAllowed({ right: verb, user: identity, study: operation.caller.study });
    this.#audited(verb, operation, this.#serverName, () => {
      if (!isAllowedHere) throw this.#notAllowed(verb, operation, "at the server");
      own.check(command);
    });
    if (is_trial) return { stage: "accepted" };
    const result = await own.perform(command);
    return verb === "shutdown" || verb === "restart" ? { stage: "accepted" } : { stage: "done", result };
  }

  /** The site that a command is for, when the server lets it pass. */
  #attached(verb: ProcessVerb, operation: Operation, name: string, attachment: string): AttachedSite {
    const { directory, disabled } = this.#parts;
    return this.#audited(verb, operation, name, () => {
      const { isKnown } = this.#authorized(verb, operation, name);
      if (!isKnown) throw unknown(name);
      const facts = { site: name };
      const site = directory.get(name);
      if (site === undefined) {
        const why = disabled.get(name) === undefined ? "is not connected" : "is disabled, and so not connected";
        throw new FlareError("runtime/site-away", `${name} ${why}.`, { facts });
      }
      if (site.hello.attachment === "")
        throw new FlareError("runtime/site-too-old", `${name} runs version ${site.hello.softwareVersion}, which takes no commands.`, {
          facts,
        });
      if (site.hello.attachment !== attachment)
        throw new FlareError("runtime/site-away", `${name} has connected anew since the command was made; give it again.`, { facts });
      return site;
    });
  }

  async #disable(operation: Operation): Promise<Json> {
    const { disabled, exclusion, now, logger } = this.#parts;
    const { site, reason = "" } = this.#parsed("disable_client", operation, disableArguments);
    const { org, isKnown } = this.#audited("disable_client", operation, site, () => this.#authorized("disable_client", operation, site));
    const by = operation.caller.identity.name;
    const isNew = await disabled.disable(site, { org: org ?? null, by, at_ms: now(), reason });
    const jobs = await exclusion.exclude(site);
    if (isNew) logger.warn("site disabled", { site, by, reason: capPeerText(reason) });
    return { site, was_disabled: !isNew, is_known: isKnown, left_jobs: jobs };
  }

  async #enable(operation: Operation): Promise<Json> {
    const { disabled, logger } = this.#parts;
    const { site } = this.#parsed("enable_client", operation, enableArguments);
    const { isKnown } = this.#audited("enable_client", operation, site, () => this.#authorized("enable_client", operation, site));
    const wasDisabled = await disabled.enable(site);
    if (wasDisabled) logger.warn("site enabled", { site, by: operation.caller.identity.name });
    return { site, was_disabled: wasDisabled, is_known: isKnown };
  }

  /** @throws FlareError `runtime/site-unknown` for a site of another study, `auth/not-authorized` */
  #authorized(verb: OperationVerb, operation: Operation, name: string): Target & { readonly isKnown: boolean } {
    const { directory, disabled, studies, isAllowed } = this.#parts;
    const { identity, study } = operation.caller;
    const entry = disabled.get(name);
    const seen = directory.known().find((known) => known.name === name);
    const org = seen?.org ?? entry?.org ?? undefined;
    if (!studies.studies.hasSite(study, name, org)) throw unknown(name);
    if (!isAllowed({ right: verb, user: identity, site: { org }, study })) throw this.#notAllowed(verb, operation, `at ${name}`);
    return { name, org, isKnown: seen !== undefined || entry !== undefined };
  }

  #notAllowed(verb: OperationVerb, { caller }: Operation, where: string): FlareError {
    const { name, role, org } = caller.identity;
    return new FlareError("auth/not-authorized", `The server does not let ${name} (${role} of ${org}) use the right '${verb}' ${where}.`, {
      facts: { who: name, role, right: verb },
    });
  }

  /** @throws FlareError `runtime/invalid-argument` */
  #parsed<Schema extends z.ZodType>(verb: OperationVerb, { caller, args }: Operation, schema: Schema): z.output<Schema> {
    try {
      return parseArguments(schema, args);
    } catch (reason) {
      const { code, message } = FlareError.from(reason);
      this.#parts.audit.write({ who: caller.identity.name, action: verb, outcome: "refused", code, reason: message });
      throw reason;
    }
  }

  /** Writes down what was decided on one target, before anything is done. */
  #audited<Result>(verb: OperationVerb, { caller, args }: Operation, target: string, decide: () => Result): Result {
    const { audit } = this.#parts;
    const { level, reason, is_trial } = args;
    const said = Object.entries({ level, reason, is_trial }).filter(([, value]) => value !== undefined);
    const facts = { target, ...(Object.fromEntries(said) as Arguments) };
    const line = { who: caller.identity.name, action: verb, ...(caller.study === defaultStudy ? {} : { study: caller.study }), facts };
    try {
      const result = decide();
      audit.write({ ...line, outcome: "allowed" });
      return result;
    } catch (why) {
      const error = FlareError.from(why);
      audit.write({ ...line, outcome: "refused", code: error.code, reason: error.message });
      throw error;
    }
  }
}

async function asOutcome(work: () => Promise<TargetOutcome>): Promise<TargetOutcome> {
  try {
    return await work();
  } catch (reason) {
    return { stage: "failed", error: FlareError.from(reason).toJSON() };
  }
}

function unknown(site: string): FlareError {
  return new FlareError("runtime/site-unknown", `The server has not seen ${site} since it started.`, { facts: { site } });
}
