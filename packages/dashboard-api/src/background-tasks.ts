import type { FastifyBaseLogger } from "fastify";

/** Work that goes on after an answer was given, so that how long an answer takes tells nothing. */
export class BackgroundTasks {
  readonly #logger: FastifyBaseLogger;
  readonly #running = new Set<Promise<void>>();

  constructor(components: { readonly logger: FastifyBaseLogger }) {
    this.#logger = components.logger;
  }

  /** Begins a piece of work; what it throws goes to the log. */
  run(name: string, work: () => Promise<void>): void {
    const task: Promise<void> = Promise.resolve()
      .then(work)
      .catch((err: unknown) => this.#logger.error({ task: name, err }, "background work failed"))
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
  }

  /** Ends when nothing is left to do. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
