import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createSecureServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { type ContentHash, limits } from "@flare-ts/contracts";
import { afterEach, describe, expect, it } from "vitest";
import type { Chunk } from "./connection.js";
import { dialServer } from "./dial-server.js";
import { startTestServer, type TestServer } from "./test-server.test-support.js";

describe("HTTP/2 flow control", () => {
  let server: TestServer;

  afterEach(async () => {
    await server.stop();
  });

  it("gives what is sent to the server the window that is asked for, on each stream, and a connection without an upload a small one", async () => {
    server = await startTestServer();
    const keys = server.project.issue({ name: "site-1" });
    const client = connect(`https://localhost:${server.port}`, {
      ca: keys.trust.rootBundlePem,
      cert: keys.certificatePem,
      key: keys.privateKeyPem,
    });
    try {
      await once(client, "remoteSettings");
      expect(client.remoteSettings.initialWindowSize).toBe(limits.http2WindowBytes);
      await expect.poll(() => client.state.remoteWindowSize).toBe(limits.idleWindowBytes);
    } finally {
      client.destroy();
    }
  });

  it("gives what is sent to a site the same", async () => {
    server = await startTestServer();
    const { certificatePem: cert, privateKeyPem: key, trust } = server.project.server();
    const listener = createSecureServer({ cert, key, ca: trust.rootBundlePem, requestCert: true });
    const opened = once(listener, "session") as Promise<[ServerHttp2Session]>;
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const abort = new AbortController();
    const dialling = dialServer({ ...server.dialInit("site-1"), port: (listener.address() as AddressInfo).port }, abort.signal);
    const outcome = dialling.catch((error: unknown) => error);
    try {
      const [session] = await opened;
      await expect.poll(() => session.remoteSettings?.initialWindowSize).toBe(limits.http2WindowBytes);
      await expect.poll(() => session.state.remoteWindowSize).toBe(limits.http2WindowBytes);
    } finally {
      abort.abort();
      expect(await outcome).toMatchObject({ code: "internal/aborted" });
      listener.close();
    }
  });

  it("stops a fast sender at a slow receiver: what is under way is bounded, by the window on a connection with an upload", async () => {
    const underWay: number[] = [];
    for (const windowBytes of [limits.http2WindowBytes, limits.idleWindowBytes]) {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      await server?.stop();
      server = await startTestServer(
        {
          upload: async (_context, _object, chunks) => {
            let size = 0;
            for await (const { data } of chunks) {
              await released;
              size += data.byteLength;
            }
            return { isComplete: true, durableOffset: size };
          },
        },
        { windowBytes },
      );
      const connection = await server.dial("site-1");
      const source = counted(64);
      const reply = connection.upload(source.chunks);
      underWay.push((await stable(() => source.taken())) * limits.chunkBytes);
      release();
      await expect(reply).resolves.toEqual({ isComplete: true, durableOffset: 64 * limits.chunkBytes });
    }
    const [most = 0, least = 0] = underWay;
    // Window, two read ahead, one in hand, four to the socket, and what the kernel holds of loopback.
    expect(most).toBeLessThanOrEqual(limits.http2WindowBytes + 12 * limits.chunkBytes);
    expect(most - least).toBeGreaterThanOrEqual(2 * limits.chunkBytes);
  });

  it("stops a fast server at a slow client", async () => {
    const source = counted(64);
    server = await startTestServer({ download: () => source.chunks });
    const connection = await server.dial("site-1");
    let size = 0;
    let taken = 0;
    for await (const { data } of connection.download({ hash, size: 64 * limits.chunkBytes }, 0)) {
      if (size === 0) taken = await stable(() => source.taken());
      size += data.byteLength;
    }
    expect(taken * limits.chunkBytes).toBeLessThanOrEqual(limits.http2WindowBytes + 12 * limits.chunkBytes);
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
