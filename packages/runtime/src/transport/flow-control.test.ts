import { randomBytes } from "node:crypto";
import { connect, type ServerHttp2Session } from "node:http2";
import { type ContentHash, limits } from "@flare-ts/contracts";
import { afterEach, describe, expect, it } from "vitest";
import type { Chunk } from "./connection.js";
import { type Http2Listener, http2ServersOf } from "./flow-control.js";
import { startTestServer, type TestServer } from "./test-server.test-support.js";

describe("HTTP/2 flow control", () => {
  let server: TestServer;

  afterEach(async () => {
    await server.stop();
  });

  /** The sessions that the server opens from now on. */
  function sessionsOf(transport: TestServer["transport"]): ServerHttp2Session[] {
    const sessions: ServerHttp2Session[] = [];
    for (const listener of listenersOf(transport)) listener.on("session", (session) => sessions.push(session));
    return sessions;
  }

  it("gives both directions the window that is asked for, for each stream and the connection", async () => {
    server = await startTestServer();
    const sessions = sessionsOf(server.transport);
    const connection = await server.dial("site-1");
    await connection.stat({ hash, size: 1 });
    const [session] = sessions;
    // Towards the server: what it lets a client send, on a connection and on a stream of it.
    expect(session?.state.localWindowSize).toBeGreaterThanOrEqual(limits.http2WindowBytes - 4096);
    expect(session?.localSettings.initialWindowSize).toBe(limits.http2WindowBytes);
    // Towards the client: what it lets the server send.
    expect(session?.state.remoteWindowSize).toBeGreaterThanOrEqual(limits.http2WindowBytes - 4096);
    expect(session?.remoteSettings.initialWindowSize).toBe(limits.http2WindowBytes);
  });

  it("tells the same to a client that is not ours", async () => {
    server = await startTestServer();
    const keys = server.project.issue({ name: "site-1" });
    const client = connect(`https://localhost:${server.port}`, { ca: keys.rootCaPem, cert: keys.certificatePem, key: keys.privateKeyPem });
    try {
      const settings = await new Promise<{ initialWindowSize?: number }>((resolve, reject) => {
        client.once("remoteSettings", resolve);
        client.once("error", reject);
      });
      expect(settings.initialWindowSize).toBe(limits.http2WindowBytes);
    } finally {
      client.destroy();
    }
  });

  it("stops a fast sender at a slow receiver: what is under way is bounded", async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    server = await startTestServer({
      upload: async (_context, _object, chunks) => {
        let size = 0;
        for await (const { data } of chunks) {
          await released;
          size += data.byteLength;
        }
        return { isComplete: true, durableOffset: size };
      },
    });
    const connection = await server.dial("site-1");
    const source = counted(64);
    const reply = connection.upload(source.chunks);
    const taken = await stable(() => source.taken());
    // Window, two read ahead, one in hand, four to the socket, and what the kernel holds of loopback.
    expect(taken * limits.chunkBytes).toBeLessThanOrEqual(limits.http2WindowBytes + 12 * limits.chunkBytes);
    release();
    await expect(reply).resolves.toEqual({ isComplete: true, durableOffset: 64 * limits.chunkBytes });
  });

  it("stops a fast server at a slow client", async () => {
    const source = counted(64);
    server = await startTestServer({ download: () => source.chunks });
    const connection = await server.dial("site-1");
    let size = 0;
    for await (const { data } of connection.download({ hash, size: 64 * limits.chunkBytes }, 0)) {
      if (size === 0) {
        const taken = await stable(() => source.taken());
        expect(taken * limits.chunkBytes).toBeLessThanOrEqual(limits.http2WindowBytes + 12 * limits.chunkBytes);
      }
      size += data.byteLength;
    }
    expect(size).toBe(64 * limits.chunkBytes);
  });
});

const hash = "cd".repeat(32) as ContentHash;

/** A source of chunks of 1 MiB that counts what was taken from it. */
function counted(count: number): { readonly chunks: AsyncIterable<Chunk>; taken(): number } {
  const data = randomBytes(limits.chunkBytes);
  let taken = 0;
  const chunks = async function* (): AsyncGenerator<Chunk, void, undefined> {
    for (; taken < count; taken++) {
      const offset = taken * limits.chunkBytes;
      yield taken === 0 ? { object: { hash, size: count * limits.chunkBytes }, offset, data } : { offset, data };
    }
  };
  return { chunks: chunks(), taken: () => taken };
}

/** Waits until a number stays the same for a while. */
async function stable(read: () => number): Promise<number> {
  let last = read();
  for (let same = 0; same < 10; ) {
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    const now = read();
    same = now === last && now > 0 ? same + 1 : 0;
    last = now;
  }
  return last;
}

// The gRPC server is nobody's business but the transport's; only this test looks inside.
function listenersOf(transport: TestServer["transport"]): readonly Http2Listener[] {
  return http2ServersOf(transport.listening);
}
