import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { type ErrorCode, FlareError, limits } from "@flare-ts/contracts";
import { HeartbeatSchema, type ServerMessage, SiteHelloSchema, type SiteMessage, SiteMessageSchema } from "@flare-ts/contracts/wire";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { errorField, type Logger } from "../logging/logger.js";
import type { ServerContact } from "../process/instance-lock.js";
import { SilenceWatch } from "../progress/silence-watch.js";
import type { StallClock } from "../progress/stall-clock.js";
import { backoffMs } from "../transfer/backoff.js";
import type { Connection, OutgoingStream } from "../transport/connection.js";

export interface ServerLinkComponents {
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  readonly logger: Logger;
  readonly random: () => number;
  readonly now: () => number;
  readonly stallClock: StallClock;
  /** What the site says of itself at each attachment. */
  readonly hello: () => {
    readonly softwareVersion: string;
    readonly jobIds: string[];
    readonly trustNumber: number;
    readonly inlineBytes?: number;
    readonly attachment?: string;
    readonly nodeVersion?: string;
  };
  readonly trust: ProjectTrust;
  readonly onMessage: (message: ServerMessage) => void;
  /** Hears whenever it changes how the site stands with its server. */
  readonly onContact?: (contact: ServerContact) => void;
}

/** What a server that is there answers, and what heals by itself later. */
const notYet: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["auth/already-connected", "auth/renewal-pending", "auth/site-disabled"]);

/** The site's way to its server: dials out, attaches, keeps the stream alive, and comes back by itself whenever it breaks. */
export class ServerLink {
  readonly #parts: ServerLinkComponents;
  readonly #stop = new AbortController();
  #live: { readonly connection: Connection; readonly stream: OutgoingStream<SiteMessage> } | undefined;
  readonly #waiting = new Set<(connection: Connection) => void>();
  #loop: Promise<void> = Promise.resolve();
  #contact = "";

  constructor(components: ServerLinkComponents) {
    this.#parts = components;
  }

  /**
   * Starts; resolves when the site is attached for the first time.
   *
   * @throws FlareError when the server or this site's kit refuses for a reason that waiting does not heal.
   */
  start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#loop = this.#run(first);
    return first.promise;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#live?.connection.close();
    await this.#loop;
  }

  /** The live connection; waits for the next one when there is none. */
  connection(signal?: AbortSignal): Promise<Connection> {
    if (this.#live !== undefined) return Promise.resolve(this.#live.connection);
    const either = AbortSignal.any(signal === undefined ? [this.#stop.signal] : [this.#stop.signal, signal]);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(take);
        reject(new FlareError("internal/aborted", "The wait for the server was stopped."));
      };
      const take = (connection: Connection): void => {
        either.removeEventListener("abort", leave);
        resolve(connection);
      };
      if (either.aborted) return leave();
      either.addEventListener("abort", leave, { once: true });
      this.#waiting.add(take);
    });
  }

  /** The connection that stands, if there is one. */
  get live(): Connection | undefined {
    return this.#live?.connection;
  }

  /** Tells the server something; silently drops it while there is no connection, as the next attachment states everything anew. */
  tell(message: SiteMessage["message"]): void {
    this.#live?.stream
      .write(create(SiteMessageSchema, { message }))
      .catch((error: unknown) => this.#parts.logger.debug("message to server was not sent", { error: errorField(error) }));
  }

  /** Ends the connection when the project does not trust the server's certificate any more. */
  hangUpUntrusted(): void {
    if (this.#live === undefined) return;
    const { trust, now, logger } = this.#parts;
    const { connection } = this.#live;
    const verdict = trust.verify(connection.serverChainPem, { nowMs: now() });
    // Dates end no connection that was made while they were good.
    if (verdict.ok || verdict.why === "expired" || verdict.why === "not-yet-valid") return;
    logger.error("the server is not trusted any more", { reason: verdict.message });
    connection.close();
  }

  async #run(first: PromiseWithResolvers<void>): Promise<void> {
    const { logger, random } = this.#parts;
    let attempt = 0;
    let wasAttached = false;
    let refusal: ErrorCode | undefined;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#attachOnce(() => {
          attempt = 0;
          wasAttached = true;
          refusal = undefined;
          this.#tellContact("connected");
          first.resolve();
        });
      } catch (reason) {
        if (this.#stop.signal.aborted) break;
        const error = FlareError.from(reason);
        if (!error.row.isRetryable && !wasAttached) {
          first.reject(error);
          return;
        }
        const isUnreachable = error.row.isRetryable && !notYet.has(error.code);
        this.#tellContact(isUnreachable ? "unreachable" : "refused", error.message);
        if (isUnreachable) {
          refusal = undefined;
          logger[attempt === 0 ? "warn" : "debug"]("server cannot be reached", { attempt, error: errorField(error) });
        } else {
          // Waiting alone does not heal it, so somebody has to read it: once, and again when the reason is another one.
          const level = refusal === error.code ? "debug" : error.row.isRetryable ? "warn" : "error";
          logger[level]("the server does not let this site in", { code: error.code, reason: error.message, todo: error.row.todo });
          refusal = error.code;
        }
      }
      // Only a person changes it, and each attempt costs the server a handshake.
      const waitMs = refusal === "auth/site-disabled" ? slowly(random()) : backoffMs(attempt, random());
      await sleep(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      attempt += 1;
    }
    first.reject(new FlareError("internal/aborted", "The site was stopped before it reached the server."));
  }

  #tellContact(state: ServerContact["state"], reason?: string): void {
    if (this.#contact === `${state} ${reason}`) return;
    this.#contact = `${state} ${reason}`;
    this.#parts.onContact?.({ state, sinceMs: this.#parts.now(), ...(reason === undefined ? {} : { reason }) });
  }

  async #attachOnce(onAttached: () => void): Promise<void> {
    const { dial, logger, hello, now, stallClock } = this.#parts;
    const connection = await dial(this.#stop.signal);
    let isAttached = false;
    const silence = new SilenceWatch(
      { clock: stallClock },
      {
        heard: () => connection.heardBytes(),
        onSilence: (reason) => {
          logger.warn("server is silent", { reason });
          connection.close();
        },
      },
    );
    const stream = connection.attach((message) => {
      silence.mark();
      if (!isAttached) {
        isAttached = true;
        onAttached();
        logger.info("attached to server", { session: connection.sessionId });
      }
      this.#parts.onMessage(message);
    });
    const heartbeat = setInterval(() => {
      this.tell({ case: "heartbeat", value: create(HeartbeatSchema, { sentAtMs: BigInt(now()) }) });
    }, limits.heartbeatMs);
    try {
      this.#live = { connection, stream };
      await stream.write(create(SiteMessageSchema, { message: { case: "hello", value: create(SiteHelloSchema, hello()) } }));
      for (const take of this.#waiting) take(connection);
      this.#waiting.clear();
      const reason = await connection.closed;
      if (!this.#stop.signal.aborted) logger.warn("connection to server is over", { reason });
      this.#tellContact("unreachable", reason);
    } finally {
      this.#live = undefined;
      clearInterval(heartbeat);
      silence.stop();
      connection.close();
    }
  }
}

/** Spread over the upper half, so that many sites do not come back at once. */
function slowly(random: number): number {
  return (limits.disabledRetryMs * (1 + random)) / 2;
}
