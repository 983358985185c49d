import { FlareError, limits } from "@flare-ts/contracts";
import type { ServerMessage, SiteMessage } from "@flare-ts/contracts/wire";
import { capPeerText, type Logger } from "../logging/logger.js";
import type { CallContext } from "../transport/connection.js";
import type { Audience } from "./audience.js";
import { type ControlStreamsComponents, heartbeatMessage, keepControlStream } from "./control-stream.js";
import type { SiteOutbox } from "./site-outbox.js";
import type { TrustService } from "./trust-service.js";

export interface RelayServiceComponents extends ControlStreamsComponents {
  readonly trust: Pick<TrustService, "greeting" | "hear">;
  readonly logger: Logger;
}

/**
 * The control plane of relays: on the stream that a site has for its jobs, a relay hears of trust lists and of its certificate, and of
 * nothing else. Two processes of one relay are two streams of one name.
 */
export class RelayService implements Audience {
  readonly #parts: RelayServiceComponents;
  /** By session. */
  readonly #attached = new Map<string, { readonly name: string; readonly outbox: SiteOutbox }>();

  constructor(components: RelayServiceComponents) {
    this.#parts = components;
  }

  names(): readonly string[] {
    return [...new Set([...this.#attached.values()].map(({ name }) => name))].sort();
  }

  push(name: string, message: ServerMessage): void {
    for (const attached of this.#attached.values()) if (attached.name === name) attached.outbox.push(message);
  }

  /** Serves one control stream. */
  attach(
    { identity: { name }, sessionId, relay }: CallContext,
    send: (message: ServerMessage) => Promise<void>,
  ): { onMessage(message: SiteMessage): void; onClose(reason: string): void } {
    const { trust, logger, now } = this.#parts;
    if (this.#attached.size >= limits.relays) {
      throw new FlareError("runtime/too-many-sites", `${limits.relays} relays are connected; the server takes no more.`, {
        facts: { relay: name, most: limits.relays },
      });
    }
    const log = logger.child({ relay: name, session: sessionId });
    const stream = keepControlStream(this.#parts, { sessionId, logger: log, send });
    const { outbox } = stream;
    return {
      onMessage: ({ message }) => {
        stream.mark();
        if (message.case === "trustState") trust.hear(name, message.value);
        if (message.case !== "hello" || this.#attached.has(sessionId)) return;
        this.#attached.set(sessionId, { name, outbox });
        // The heartbeat says that the stream is open where there is no list.
        outbox.open([...trust.greeting(name, message.value.trustNumber), heartbeatMessage(now())]);
        log.info("relay connected", {
          softwareVersion: capPeerText(message.value.softwareVersion),
          by: relay === name ? undefined : relay,
        });
      },
      onClose: (reason) => {
        stream.end();
        if (this.#attached.delete(sessionId)) log.info("relay disconnected", { reason: capPeerText(reason) });
      },
    };
  }
}
