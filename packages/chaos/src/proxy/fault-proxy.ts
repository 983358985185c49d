import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { FlareError } from "@flare-ts/contracts";
import { type LinkWeather, pumpSocket } from "./pump-socket.js";

export interface FaultProxyInit {
  readonly port: number;
  /** Addresses to listen on; one that this machine does not have is passed over. @default both loopback addresses */
  readonly hosts?: readonly string[];
  /** Where connections go; asked for each. */
  readonly target: () => { readonly host: string; readonly port: number };
  /** Numbers from 0 to 1, for jitter and lost packets. */
  readonly random: () => number;
}

/** How a fault of links ended. */
export interface LinkFaultResult {
  /** Connections that were open, or were opened meanwhile. */
  readonly connections: number;
}

/** A TCP proxy that does to the connections through it what bad networks do. TLS passes through it unread. */
export class FaultProxy {
  readonly #init: FaultProxyInit;
  readonly #servers: Server[] = [];
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #weather: LinkWeather;
  /** Connections that `reorder` holds back; `undefined` while it does not. */
  #held: Array<() => void> | undefined;
  #accepted = 0;

  private constructor(init: FaultProxyInit) {
    this.#init = init;
    this.#weather = { hole: undefined, bitsPerSecond: undefined, delay: undefined, cutAfterBytes: undefined, random: init.random };
  }

  /** @throws FlareError `transfer/cannot-listen` when the port is taken. */
  static async listen(init: FaultProxyInit): Promise<FaultProxy> {
    const proxy = new FaultProxy(init);
    for (const host of init.hosts ?? ["127.0.0.1", "::1"]) {
      const server = createServer((socket) => proxy.#accept(socket)).listen(init.port, host);
      try {
        await once(server, "listening");
        proxy.#servers.push(server);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "EADDRNOTAVAIL") continue;
        await proxy.stop();
        throw new FlareError("transfer/cannot-listen", `Port ${init.port} of ${host} cannot be opened.`, {
          facts: { host, port: init.port },
          cause,
        });
      }
    }
    return proxy;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#pairs.size;
  }

  /** New connections that are held back at this moment. */
  get held(): number {
    return this.#held?.length ?? 0;
  }

  /** Resets the connection that carries the last of the next `bytes`; resolves when it has, or when `signal` is aborted. */
  async cut(bytes: number, signal: AbortSignal): Promise<"cut" | "nothing-passed"> {
    return await new Promise((resolve) => {
      const giveUp = (): void => {
        this.#weather.cutAfterBytes = undefined;
        resolve("nothing-passed");
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#weather.cutAfterBytes = {
        left: bytes,
        onCut: () => {
          signal.removeEventListener("abort", giveUp);
          resolve("cut");
        },
      };
    });
  }

  /** Lets nothing through for as long as `during` takes, and closes nothing: neither end can tell it from silence. */
  async blackHole(during: Promise<unknown>): Promise<LinkFaultResult> {
    return await this.#while(during, () => {
      this.#weather.hole = during.catch(() => undefined);
      return () => (this.#weather.hole = undefined);
    });
  }

  /** Lets each connection carry so many bits in a second in each direction. */
  async throttle(bitsPerSecond: number, during: Promise<unknown>): Promise<LinkFaultResult> {
    return await this.#while(during, () => {
      this.#weather.bitsPerSecond = bitsPerSecond;
      return () => (this.#weather.bitsPerSecond = undefined);
    });
  }

  /** Delays what passes in each direction by `delayMs`, give or take a third, and one piece in fifty by a second more. */
  async delay(delayMs: number, during: Promise<unknown>): Promise<LinkFaultResult> {
    return await this.#while(during, () => {
      this.#weather.delay = { delayMs, jitterMs: delayMs / 3, stallMs: 1_000, stallShare: 0.02 };
      return () => (this.#weather.delay = undefined);
    });
  }

  /** Holds new connections back and lets them go on in reverse order. */
  async reorder(during: Promise<unknown>): Promise<LinkFaultResult> {
    return await this.#while(during, () => {
      this.#held ??= [];
      return () => {
        const held = this.#held ?? [];
        this.#held = undefined;
        for (const go of held.toReversed()) go();
      };
    });
  }

  /** Resets every connection, upon which its ends connect again. */
  resetAll(): number {
    const { size } = this.#pairs;
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    return size;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    this.#held?.forEach((go) => go());
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await Promise.all(this.#servers.filter((server) => server.listening).map((server) => once(server, "close")));
  }

  #accept(near: Socket): void {
    this.#accepted += 1;
    near.on("error", () => undefined);
    if (this.#held === undefined) this.#connect(near);
    else this.#held.push(() => this.#connect(near));
  }

  #connect(near: Socket): void {
    const far = connect(this.#init.target());
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const socket of pair) socket.setNoDelay(true).on("error", () => undefined);
    const both = Promise.all([pumpSocket(near, far, this.#weather), pumpSocket(far, near, this.#weather)]);
    void both.finally(() => {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    });
  }

  async #while(during: Promise<unknown>, begin: () => () => void): Promise<LinkFaultResult> {
    const before = this.#pairs.size;
    const accepted = this.#accepted;
    const end = begin();
    try {
      await during;
    } finally {
      end();
    }
    return { connections: before + this.#accepted - accepted };
  }
}
