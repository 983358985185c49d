import { FlareError } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";
import { settlesWithin } from "./deadline.js";

/** The parts of a process in the order in which they were started; they stop in reverse, each within a deadline. */
export class StopList {
  readonly #parts: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | undefined;

  add(name: string, stop: () => Promise<void> | void): void {
    this.#parts.push({ name, stop });
  }

  /** Stops everything, once; a part that fails or takes too long is logged and does not hold up the others. */
  stop(deadlineMs: number, logger?: Logger): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs, logger);
    return this.#stopping;
  }

  async #stop(deadlineMs: number, logger: Logger | undefined): Promise<void> {
    for (const { name, stop } of this.#parts.toReversed()) {
      const stopped = Promise.resolve().then(stop);
      stopped.catch((error: unknown) =>
        logger?.error("part could not be stopped", { part: name, error: errorField(FlareError.from(error)) }),
      );
      if (!(await settlesWithin(stopped, deadlineMs))) logger?.error("part did not stop in time", { part: name, deadlineMs });
    }
  }
}
