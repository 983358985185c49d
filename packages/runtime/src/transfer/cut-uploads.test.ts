import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlareError, limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileModelStore } from "../store/file-model-store.js";
import type { Connection } from "../transport/connection.js";
import { dialServer } from "../transport/dial-server.js";
import { startTestServer, type TestServer } from "../transport/test-server.test-support.js";
import { TransferClient } from "./transfer-client.js";
import { TransferServer } from "./transfer-server.js";

const megabyte = 1024 * 1024;

/** Passes bytes on, counts those that go to the server, and cuts the connection each time that so many of them have passed. */
class CuttingProxy {
  sentBytes = 0;
  readonly #cuts: number[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(init: { readonly upstreamPort: number; readonly cuts: readonly number[] }) {
    this.#cuts = [...init.cuts];
    this.#server = createServer((down) => {
      const up = connectTcp(init.upstreamPort, "127.0.0.1");
      const cut = (): void => {
        for (const socket of [down, up]) socket.destroy();
      };
      for (const socket of [down, up]) {
        this.#sockets.add(socket);
        socket.on("error", cut).on("close", () => {
          this.#sockets.delete(socket);
          cut();
        });
      }
      up.pipe(down);
      down.on("data", (bytes) => {
        this.sentBytes += bytes.byteLength;
        if (this.#cuts[0] !== undefined && this.sentBytes >= this.#cuts[0]) {
          this.#cuts.shift();
          cut();
        } else if (!up.write(bytes)) {
          down.pause();
          up.once("drain", () => down.resume());
        }
      });
    });
  }

  get cutsLeft(): number {
    return this.#cuts.length;
  }

  async start(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

describe("an upload over a line that is cut", () => {
  let folder: string;
  let server: TestServer;
  let serverStore: FileModelStore;
  let siteStore: FileModelStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-cuts-"));
    serverStore = await FileModelStore.open({ root: join(folder, "server") });
    siteStore = await FileModelStore.open({ root: join(folder, "site") });
    const transfers = new TransferServer({ store: serverStore, guard: { mayRead: async () => true, mayWrite: async () => true } });
    server = await startTestServer({
      stat: async (context, object, base) => transfers.stat(context, object, base),
      upload: async (context, object, chunks) => transfers.upload(context, object, chunks),
    });
  });

  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("sends again at most 1 % of the model and one window for each of 20 cuts, counted on the line", async () => {
    const size = Number(process.env["FLARE_CUT_MB"] ?? 48) * megabyte;
    const object = await siteStore.importBytes(randomBytes(size));
    const cuts = Array.from({ length: 20 }, () => Math.floor(Math.random() * size)).sort((a, b) => a - b);
    const proxy = new CuttingProxy({ upstreamPort: server.port, cuts });
    const port = await proxy.start();
    const keys = server.dialInit("site-1");
    let current: Connection | undefined;
    const connect = async (): Promise<Connection> => {
      while (current === undefined) {
        try {
          const dialled = await dialServer({ ...keys, port });
          current = dialled;
          void dialled.closed.then(() => {
            current = undefined;
          });
        } catch (error) {
          // The server may notice a moment later than the site that the last connection is gone; a cut may hit the registration.
          if (!(error instanceof FlareError) || !error.row.isRetryable) {
            if ((error as FlareError).code !== "auth/already-connected") throw error;
          }
        }
      }
      return current;
    };
    try {
      await new TransferClient({ store: siteStore }).upload(connect, object);
      const stored = await readFile((await serverStore.find(object.hash))?.path ?? "");
      expect(createHash("sha256").update(stored).digest("hex")).toBe(object.hash);
      expect(proxy.cutsLeft).toBe(0);
      expect(proxy.sentBytes).toBeLessThanOrEqual(1.01 * size + cuts.length * limits.http2WindowBytes);
    } finally {
      current?.close();
      await proxy.stop();
    }
  });
});
