import { limits } from "@flare-ts/contracts";
import type { ServerMessage } from "@flare-ts/contracts/wire";
import { errorField, type Logger } from "../logging/logger.js";

export interface SiteOutboxComponents {
  /** Puts a message on the control stream; resolves when the next one can be taken. */
  readonly send: (message: ServerMessage) => Promise<void>;
  /** The site does not take what it is told. */
  readonly onOverflow: (reason: string) => void;
  readonly logger: Logger;
}

/**
 * What one control stream still has to tell its site. Nothing goes out before the site's state: a task of a job that it was
 * not told of would be lost on it.
 */
export class SiteOutbox {
  readonly #parts: SiteOutboxComponents;
  #early: ServerMessage[] | undefined = [];
  #unread = 0;

  constructor(components: SiteOutboxComponents) {
    this.#parts = components;
  }

  push(message: ServerMessage): void {
    if (Math.max(this.#unread, this.#early?.length ?? 0) >= limits.unreadMessages)
      this.#parts.onOverflow(`it left ${limits.unreadMessages} messages unread`);
    else if (this.#early !== undefined) this.#early.push(message);
    else this.#send(message);
  }

  /** Tells the site its state, then everything that came up before. */
  open(state: readonly ServerMessage[]): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const message of [...state, ...early]) this.#send(message);
  }

  #send(message: ServerMessage): void {
    const { send, logger } = this.#parts;
    this.#unread += 1;
    send(message)
      .catch((error: unknown) => logger.debug("message to site was not sent", { error: errorField(error) }))
      .finally(() => (this.#unread -= 1));
  }
}
