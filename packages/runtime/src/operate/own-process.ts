import { FlareError, type Json } from "@flare-ts/contracts";
import type { LogLevelSwitch } from "../logging/log-level-switch.js";
import type { Logger } from "../logging/logger.js";
import type { Ending, Watch } from "./ending.js";
import type { MachineResources } from "./machine-resources.js";
import type { LevelWord } from "./operation-arguments.js";
import type { ProcessVerb } from "./operation-verbs.js";

export interface OwnProcessComponents {
  readonly logLevel: LogLevelSwitch;
  readonly resources: () => Promise<MachineResources>;
  /** Has the process end in good order. */
  readonly end: (ending: Ending) => void;
  readonly logger: Logger;
}

/** A command for this process, whose sender was let in. */
export interface OwnCommand {
  readonly verb: ProcessVerb;
  readonly by: string;
  readonly level?: LevelWord | undefined;
}

/** What this process does on an admin's word. Whether it may is decided elsewhere. */
export class OwnProcess {
  readonly #parts: OwnProcessComponents;
  readonly #watch: Watch | undefined;
  #isEnding = false;

  constructor(components: OwnProcessComponents, init: { readonly watch: Watch | undefined }) {
    this.#parts = components;
    this.#watch = init.watch;
  }

  /** @throws FlareError `runtime/not-watched`, `runtime/invalid-argument` where it cannot be done */
  check({ verb, level }: OwnCommand): void {
    if (verb === "restart" && this.#watch === undefined) {
      throw new FlareError("runtime/not-watched", "It was not restarted: it was started by hand, and nobody would start it again.");
    }
    if (verb === "configure_site_log" && level === undefined)
      throw new FlareError("runtime/invalid-argument", "The argument 'level' of a command is missing.", { facts: { where: "level" } });
  }

  /**
   * Does what a command says, and returns what came of it. An end begins when this has returned, so that it can be told first.
   *
   * @throws FlareError as `check`
   */
  async perform(command: OwnCommand): Promise<Json> {
    this.check(command);
    const { verb, by, level = "reload" } = command;
    const { logLevel, resources, logger } = this.#parts;
    if (verb === "report_resources") return (await resources()) as unknown as Json;
    if (verb === "configure_site_log") {
      const inForce = level === "reload" ? await logLevel.reload() : logLevel.set(level);
      logger.warn("log level changed", { level: inForce, by });
      return { level: inForce };
    }
    this.#endSoon({ how: verb, by });
    return {};
  }

  #endSoon(ending: Ending): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#parts.logger.warn(ending.how === "restart" ? "restarts, as an admin says" : "shuts down, as an admin says", { by: ending.by });
    setImmediate(() => this.#parts.end(ending));
  }
}
