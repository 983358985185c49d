import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type AuthorizationRequest, defaultStudy, FlareError, type Json } from "@flare-ts/contracts";
import { type SiteCommand, SiteCommandAnswerSchema } from "@flare-ts/contracts/wire";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { verifySiteCommand } from "../admin/signed-command.js";
import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText, errorField, type Logger } from "../logging/logger.js";
import { processArguments } from "../operate/operation-arguments.js";
import { isProcessVerb } from "../operate/operation-verbs.js";
import type { OwnCommand, OwnProcess } from "../operate/own-process.js";
import type { ServerLink } from "./server-link.js";

export interface SiteOperatorComponents {
  readonly link: Pick<ServerLink, "tell">;
  readonly own: Pick<OwnProcess, "check" | "perform">;
  /** Stops what runs here for jobs, so that the site is done when it says so. */
  readonly drain: () => Promise<void>;
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly now: () => number;
  /** The site's own policy, from its own kit. */
  readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
}

export interface SiteOperatorInit {
  readonly site: string;
  readonly trust: ProjectTrust;
}

/**
 * Carries out commands of admins about this site's process: the admin's own signature and the site's own policy count, not the server's
 * word. A command is good for one attachment of the site, which it names, and there once.
 */
export class SiteOperator {
  readonly #parts: SiteOperatorComponents;
  readonly #init: SiteOperatorInit;
  #attachment = "";
  readonly #seen = new Set<string>();

  constructor(components: SiteOperatorComponents, init: SiteOperatorInit) {
    this.#parts = components;
    this.#init = init;
  }

  /** The site attaches anew: the name of that attachment. Commands for the one before are worth nothing from now on. */
  attach(): string {
    this.#attachment = randomBytes(16).toString("hex");
    this.#seen.clear();
    return this.#attachment;
  }

  /** Takes a command that the server passes on, and tells the server what becomes of it. */
  async hear({ id, command }: SiteCommand): Promise<void> {
    const { own, drain, logger } = this.#parts;
    const answer = (stage: "accepted" | "done" | "refused", result?: Json, error?: FlareError): void => {
      const [resultJson, errorJson] = [result, error].map((value) => (value === undefined ? "" : JSON.stringify(value)));
      this.#parts.link.tell({
        case: "commandAnswer",
        value: create(SiteCommandAnswerSchema, { id, stage, resultJson: resultJson ?? "", errorJson: errorJson ?? "" }),
      });
    };
    try {
      const wanted = this.#admit(command);
      answer("accepted");
      if (wanted.verb === "shutdown" || wanted.verb === "restart") {
        // The end itself stops the same once more, and is put off by nothing.
        await drain().catch((reason: unknown) => logger.error("jobs could not be stopped", { error: errorField(FlareError.from(reason)) }));
      }
      answer("done", await own.perform(wanted));
    } catch (reason) {
      const error = FlareError.from(reason);
      logger.warn("command of an admin refused", { error: errorField(error) });
      answer("refused", undefined, error);
    }
  }

  /** @throws FlareError `auth/command-invalid` and its kin, `auth/not-authorized`, what `OwnProcess.check` finds */
  #admit(command: SiteCommand["command"]): OwnCommand {
    const { own, audit, now, isAllowed } = this.#parts;
    const { site, trust } = this.#init;
    let [who, action] = ["unknown", "unknown"];
    let study: { readonly study?: string } = {};
    try {
      if (command === undefined) throw new FlareError("runtime/bad-message", "The server has sent a command without its content.");
      const verified = verifySiteCommand(command, { trust, nowMs: now() });
      const { identity, verb, nonce } = verified;
      const { name, org, role } = identity;
      [who, action] = [name, verb];
      study = verified.study === defaultStudy ? {} : { study: capPeerText(verified.study) };
      const refuse = (why: string): never => {
        throw new FlareError("auth/command-invalid", `A command of ${name} is refused: ${why}.`, { facts: { who: name, why, site } });
      };
      const parsed = processArguments.safeParse(verified.args);
      if (!isProcessVerb(verb) || !parsed.success) return refuse("it is not one for a site");
      const { sites = {}, level } = parsed.data;
      if (!Object.hasOwn(sites, site) || sites[site] !== this.#attachment) return refuse(`it is not for this attachment of ${site}`);
      if (this.#seen.has(nonce)) return refuse("it was sent before");
      this.#seen.add(nonce);
      if (!isAllowed({ right: verb, user: { name, org, role }, study: verified.study })) {
        throw new FlareError("auth/not-authorized", `${site} does not let ${name} (${role} of ${org}) use the right '${verb}'.`, {
          facts: { who: name, role, right: verb, site },
        });
      }
      const wanted: OwnCommand = { verb, by: name, level };
      own.check(wanted);
      audit.write({ who, action, ...study, outcome: "allowed", ...(level === undefined ? {} : { facts: { level } }) });
      return wanted;
    } catch (reason) {
      const error = FlareError.from(reason);
      audit.write({ who, action, ...study, outcome: "refused", code: error.code, reason: error.message });
      throw error;
    }
  }
}
