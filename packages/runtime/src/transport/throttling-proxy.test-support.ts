import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Passes TCP connections on, so many bytes a second in each direction, as a slow line does; what waits, waits in order. */
export class ThrottlingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #init: { readonly upstreamPort: number; readonly port?: number };
  /** May be changed while connections stand; 0 lets nothing through any more. */
  bytesPerSecond: number;

  constructor(init: { readonly upstreamPort: number; readonly port?: number; readonly bytesPerSecond: number }) {
    this.#init = init;
    this.bytesPerSecond = init.bytesPerSecond;
    this.#server = createServer((near) => {
      const far = createConnection({ host: "127.0.0.1", port: init.upstreamPort });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.once("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      void this.#carry(near, far);
      void this.#carry(far, near);
    });
  }

  /** Listens on the port that is given, else on a free one, and resolves with it. */
  async start(): Promise<number> {
    this.#server.listen(this.#init.port ?? 0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        while (this.bytesPerSecond === 0) await sleep(20);
        if (!to.write(chunk)) await once(to, "drain");
        await sleep((chunk.length / this.bytesPerSecond) * 1000);
      }
      to.end();
    } catch {
      // The connection is over, which its ends hear by themselves.
    }
  }
}
