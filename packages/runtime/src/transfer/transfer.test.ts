import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentHash, type FlareError, limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileModelStore } from "../store/file-model-store.js";
import type { StoredObject } from "../store/model-store.js";
import type { Chunk, Connection } from "../transport/connection.js";
import { startTestServer, type TestServer } from "../transport/test-server.test-support.js";
import { TransferClient } from "./transfer-client.js";
import { TransferServer } from "./transfer-server.js";

const megabyte = 1024 * 1024;

describe("transfers", () => {
  let folder: string;
  let serverStore: FileModelStore;
  let siteStore: FileModelStore;
  let server: TestServer;
  let received = 0;
  const allowed = new Set<string>();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-transfer-"));
    serverStore = await FileModelStore.open({ root: join(folder, "server") });
    siteStore = await FileModelStore.open({ root: join(folder, "site") });
    received = 0;
    allowed.clear();
    const isAllowed = async (hash: string): Promise<boolean> => allowed.has(hash);
    const transfers = new TransferServer({
      store: serverStore,
      guard: { mayRead: async (_identity, hash) => isAllowed(hash), mayWrite: async (_identity, object) => isAllowed(object.hash) },
    });
    server = await startTestServer({
      stat: async (context, object) => transfers.stat(context, object),
      upload: async (context, object, chunks) => transfers.upload(context, object, counted(chunks)),
      download: (context, object, offset, means) => transfers.download(context, object, offset, means),
    });
  });

  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function* counted(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of chunks) {
      received += chunk.data.byteLength;
      yield chunk;
    }
  }

  async function objectAt(store: FileModelStore, bytes: number): Promise<StoredObject> {
    const object = await store.importBytes(randomBytes(bytes));
    allowed.add(object.hash);
    return object;
  }

  /** A provider that dials again whenever the last connection is over. */
  function redialling(name = "site-1"): { connect: () => Promise<Connection>; cut: () => void } {
    let current: Connection | undefined;
    return {
      connect: async () => {
        if (current !== undefined) return current;
        const connection = await dialPatiently(name);
        current = connection;
        void connection.closed.then(() => {
          if (current === connection) current = undefined;
        });
        return connection;
      },
      cut: () => current?.close(),
    };
  }

  // The server may notice a moment later than the site that the old connection is gone.
  async function dialPatiently(name: string): Promise<Connection> {
    for (;;) {
      try {
        return await server.dial(name);
      } catch (error) {
        if ((error as FlareError).code !== "auth/already-connected") throw error;
      }
    }
  }

  it.each([0, 1, limits.chunkBytes - 1, limits.chunkBytes, limits.chunkBytes + 1, 5_000_000])(
    "moves an object of %i bytes there and back",
    async (size) => {
      const object = await objectAt(siteStore, size);
      const client = new TransferClient({ store: siteStore });
      const { connect } = redialling();
      await client.upload(connect, object);
      const stored = await serverStore.find(object.hash);
      expect(stored?.size).toBe(size);
      await siteStore.remove(object.hash);
      const fetched = await client.download(connect, object);
      expect(
        createHash("sha256")
          .update(await readFile(fetched.path))
          .digest("hex"),
      ).toBe(object.hash);
    },
  );

  it("does not send again what the receiver holds", async () => {
    const object = await objectAt(siteStore, megabyte);
    const client = new TransferClient({ store: siteStore });
    const { connect } = redialling();
    await client.upload(connect, object);
    await client.upload(connect, object);
    expect(received).toBe(megabyte);
    const progress: number[] = [];
    await client.download(connect, object, (done) => progress.push(done));
    expect(progress).toEqual([object.size]);
  });

  it("resumes an upload after cuts at random offsets, sending again no more than what was under way", async () => {
    const size = 64 * megabyte;
    const object = await objectAt(siteStore, size);
    const client = new TransferClient({ store: siteStore });
    const { connect, cut } = redialling();
    const cuts = Array.from({ length: 20 }, () => Math.floor(Math.random() * size)).sort((a, b) => a - b);
    let sent = 0;
    let last = 0;
    await client.upload(connect, object, (done) => {
      if (done > last) sent += done - last;
      last = done;
      if (cuts[0] !== undefined && done >= cuts[0]) {
        while (cuts[0] !== undefined && done >= cuts[0]) cuts.shift();
        cut();
      }
    });
    expect(cuts).toHaveLength(0);
    expect((await serverStore.find(object.hash))?.size).toBe(size);
    // Of what arrived, no more than the chunk in hand is asked for twice.
    expect(received).toBeLessThanOrEqual(size + 20 * limits.chunkBytes);
    // What was given to the connection and lost: queue, window and socket, at most, for each cut.
    expect(sent).toBeLessThanOrEqual(size + 20 * (limits.http2WindowBytes + 8 * megabyte));
  });

  it("resumes a download after cuts at random offsets", async () => {
    const size = 64 * megabyte;
    const object = await objectAt(serverStore, size);
    const client = new TransferClient({ store: siteStore });
    const { connect, cut } = redialling();
    const cuts = Array.from({ length: 10 }, () => Math.floor(Math.random() * size)).sort((a, b) => a - b);
    const offsets: number[] = [];
    const fetched = await client.download(connect, object, (done) => {
      offsets.push(done);
      if (cuts[0] === undefined || done < cuts[0]) return;
      while (cuts[0] !== undefined && done >= cuts[0]) cuts.shift();
      cut();
    });
    expect(fetched.size).toBe(size);
    // Never back: each new connection goes on where the last one ended.
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  });

  it("throws away an upload whose bytes do not have the hash that names it", async () => {
    const object = await objectAt(siteStore, 3 * megabyte);
    const connection = await server.dial("site-1");
    const forged = async function* (): AsyncGenerator<Chunk, void, undefined> {
      yield { object, offset: 0, data: randomBytes(megabyte) };
      yield { offset: megabyte, data: randomBytes(2 * megabyte) };
    };
    await expect(connection.upload(forged())).rejects.toMatchObject({ code: "transfer/hash-mismatch" });
    expect(await serverStore.find(object.hash)).toBeUndefined();
    expect(await serverStore.durableOffset(object)).toBe(0);
  });

  it("refuses objects that the participant has no business with, and tells nothing of them", async () => {
    const object = await objectAt(serverStore, 1000);
    allowed.clear();
    const client = new TransferClient({ store: siteStore });
    const { connect } = redialling();
    await expect(client.download(connect, object)).rejects.toMatchObject({ code: "transfer/not-allowed" });
    const other = await siteStore.importBytes(Buffer.from("mine"));
    await expect(client.upload(connect, other)).rejects.toMatchObject({ code: "transfer/not-allowed" });
    const connection = await connect();
    await expect(connection.stat(object)).rejects.toMatchObject({ code: "transfer/not-allowed" });
    const upload = async function* (): AsyncGenerator<Chunk, void, undefined> {
      yield { object: other, offset: 0, data: Buffer.from("mine") };
    };
    await expect(connection.upload(upload())).rejects.toMatchObject({ code: "transfer/not-allowed" });
    expect(await serverStore.find(other.hash)).toBeUndefined();
  });

  it("shares one transfer among concurrent downloads of an object", async () => {
    const object = await objectAt(serverStore, 8 * megabyte);
    const client = new TransferClient({ store: siteStore });
    let connects = 0;
    const { connect } = redialling();
    const counting = async (): Promise<Connection> => {
      connects += 1;
      return await connect();
    };
    const results = await Promise.all(Array.from({ length: 4 }, async () => client.download(counting, object)));
    expect(new Set(results.map(({ path }) => path)).size).toBe(1);
    expect(connects).toBe(1);
  });

  it("lets two sites that hold the same bytes upload at once without disturbing each other", async () => {
    const object = await objectAt(siteStore, 16 * megabyte);
    const client = new TransferClient({ store: siteStore });
    await Promise.all([client.upload(redialling("site-1").connect, object), client.upload(redialling("site-2").connect, object)]);
    expect((await serverStore.find(object.hash))?.size).toBe(object.size);
    expect(received).toBeLessThan(2 * object.size);
  });

  it("ends a transfer when its caller aborts, and goes on from there later", async () => {
    const object = await objectAt(serverStore, 32 * megabyte);
    const client = new TransferClient({ store: siteStore });
    const { connect } = redialling();
    const abort = new AbortController();
    const stopped = client.download(connect, object, (done) => done >= 8 * megabyte && abort.abort(), abort.signal);
    await expect(stopped).rejects.toMatchObject({ code: "internal/aborted" });
    const offsets: number[] = [];
    await client.download(connect, object, (done) => offsets.push(done));
    expect(offsets[0]).toBeGreaterThanOrEqual(8 * megabyte);
  });

  it("says that an object is missing", async () => {
    const hash = createHash("sha256").update("nobody has this").digest("hex") as ContentHash;
    allowed.add(hash);
    const client = new TransferClient({ store: siteStore });
    await expect(client.download(redialling().connect, { hash, size: 5 })).rejects.toMatchObject({ code: "transfer/object-missing" });
  });
});
