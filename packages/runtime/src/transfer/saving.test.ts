import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { type ContentHash, limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileModelStore } from "../store/file-model-store.js";
import type { StoredObject } from "../store/model-store.js";
import type { Chunk, Connection } from "../transport/connection.js";
import { startTestServer, type TestServer } from "../transport/test-server.test-support.js";
import { TransferClient } from "./transfer-client.js";
import { TransferServer } from "./transfer-server.js";

const megabyte = 1024 * 1024;
const isZstdHere = process.getBuiltinModule("node:zlib").zstdCompress !== undefined;

describe("a transfer sends no more than it has to", () => {
  let folder: string;
  let serverStore: FileModelStore;
  let siteStore: FileModelStore;
  let server: TestServer;
  let transfers: TransferServer;
  let connection: Connection;
  const readable = new Set<string>();
  let arrived: Chunk[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-saving-"));
    serverStore = await FileModelStore.open({ root: join(folder, "server") });
    siteStore = await FileModelStore.open({ root: join(folder, "site") });
    readable.clear();
    arrived = [];
    transfers = new TransferServer({
      store: serverStore,
      guard: { mayRead: async (_identity, hash) => readable.has(hash), mayWrite: async () => true },
    });
    server = await startTestServer({
      stat: async (context, object, base) => transfers.stat(context, object, base),
      upload: async (context, object, chunks) => transfers.upload(context, object, noted(chunks)),
      download: (context, object, offset, means) => noted(transfers.download(context, object, offset, means)),
    });
    connection = await server.dial("site-1");
  });

  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function* noted(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of chunks) {
      arrived.push({ ...chunk, data: Buffer.alloc(chunk.data.byteLength) });
      yield chunk;
    }
  }

  const sentBytes = (): number => arrived.reduce((sum, { data }) => sum + data.byteLength, 0);
  const clientOf = (store: FileModelStore): TransferClient => new TransferClient({ store });
  const connect = async (): Promise<Connection> => connection;

  function model(tensors: Readonly<Record<string, Buffer>>): Uint8Array {
    return encodeSafetensors(
      Object.entries(tensors).map(([name, data]) => [name, { dtype: "U8", shape: [data.byteLength], data: new Uint8Array(data) }]),
    );
  }

  async function expectAtServer({ hash }: { readonly hash: ContentHash }): Promise<void> {
    expect(await hashOf(await serverStore.find(hash))).toBe(hash);
  }

  async function hashOf(object: StoredObject | undefined): Promise<string> {
    return createHash("sha256")
      .update(await readFile(object?.path ?? ""))
      .digest("hex");
  }

  it("uploads of an update only the tensors that differ from the round's model, wherever they lie", async () => {
    const frozen = randomBytes(5 * megabyte);
    const base = model({ frozen, head: randomBytes(300_000) });
    // The changed tensor is first now, and there is a new one: every frozen byte lies elsewhere.
    const update = model({ adapter: randomBytes(10_000), head: randomBytes(300_000), frozen });
    const held = await serverStore.importBytes(base);
    await siteStore.importBytes(base);
    readable.add(held.hash);
    const object = await siteStore.importBytes(update);
    const account = await clientOf(siteStore).upload(connect, object, undefined, undefined, { base: held });
    await expectAtServer(object);
    expect(sentBytes()).toBeLessThan(320_000 + 2 * 64 * 1024);
    expect(account.sentBytes).toBe(sentBytes());
    expect(account.copiedBytes).toBeGreaterThan(frozen.byteLength - 2 * 64 * 1024);
    expect(transfers.takeAccount("site-1", object.hash)).toEqual(account);
    expect(transfers.takeAccount("site-1", object.hash)).toBeUndefined();
  });

  it("downloads of a model only the tensors that changed since the one that the site holds", async () => {
    const frozen = randomBytes(5 * megabyte);
    const old = model({ frozen, head: randomBytes(200_000) });
    const next = await serverStore.importBytes(model({ frozen, head: randomBytes(200_000) }));
    const base = await siteStore.importBytes(old);
    await serverStore.importBytes(old);
    readable.add(base.hash).add(next.hash);
    const fetched = await clientOf(siteStore).download(connect, next, undefined, undefined, { base });
    expect(await hashOf(fetched)).toBe(next.hash);
    expect(sentBytes()).toBeLessThan(200_000 + 2 * 64 * 1024);
  });

  it("does not tell a site what of a model is the same as in an object that it may not read", async () => {
    const secret = model({ a: randomBytes(megabyte) });
    const base = await siteStore.importBytes(secret);
    await serverStore.importBytes(secret);
    const next = await serverStore.importBytes(model({ a: randomBytes(megabyte) }));
    readable.add(next.hash);
    await clientOf(siteStore).download(connect, next, undefined, undefined, { base });
    expect(arrived.some(({ base: named }) => named !== undefined)).toBe(false);
    const forged = async function* (): AsyncGenerator<Chunk, void, undefined> {
      yield { object: next, base: base.hash, offset: 0, data: Buffer.alloc(0), packed: { form: "copy", length: 10, from: 0 } };
    };
    await serverStore.remove(next.hash);
    await expect(connection.upload(forged())).rejects.toMatchObject({ code: "transfer/not-allowed" });
  });

  it("sends everything when the base turns out to be damaged", async () => {
    const frozen = randomBytes(2 * megabyte);
    const base = model({ frozen, head: randomBytes(100_000) });
    const held = await serverStore.importBytes(base);
    await siteStore.importBytes(base);
    readable.add(held.hash);
    await chmod(held.path, 0o600);
    await writeFile(held.path, randomBytes(held.size));
    const object = await siteStore.importBytes(model({ frozen, head: randomBytes(100_000) }));
    await clientOf(siteStore).upload(connect, object, undefined, undefined, { base: held });
    expect(sentBytes()).toBeGreaterThanOrEqual(object.size);
    await expectAtServer(object);
  });

  it("sends plain data to a peer that names no forms", async () => {
    const object = await serverStore.importBytes(Buffer.alloc(3 * megabyte));
    readable.add(object.hash);
    let bytes = 0;
    for await (const { data, packed } of connection.download(object, 0)) {
      expect(packed).toBeUndefined();
      bytes += data.byteLength;
    }
    expect(bytes).toBe(object.size);
  });

  it("sends next to nothing for zeros, and resumes in the middle of them", async () => {
    const bytes = Buffer.concat([Buffer.alloc(20 * megabyte), randomBytes(1000), Buffer.alloc(7 * megabyte + 3)]);
    const object = await siteStore.importBytes(bytes);
    const writer = await serverStore.openWriter(object);
    await writer.writeZeros(5 * megabyte + 1);
    await writer.close();
    expect(await serverStore.durableOffset(object)).toBe(5 * megabyte + 1);
    await clientOf(siteStore).upload(connect, object);
    await expectAtServer(object);
    expect(sentBytes()).toBeLessThan(64 * 1024 + 1000);
  });

  it.skipIf(!isZstdHere && process.env["FLARE_NO_SKIPS"] !== "1")(
    "compresses what compresses well, and leaves the rest as it is (needs a Node with zstd)",
    async () => {
      const sparse = Buffer.alloc(4 * megabyte);
      for (let at = 0; at < sparse.byteLength; at += 997) sparse[at] = at % 251;
      const object = await siteStore.importBytes(model({ a: sparse, b: randomBytes(2 * megabyte) }));
      const account = await clientOf(siteStore).upload(connect, object);
      await expectAtServer(object);
      expect(account.compressedAwayBytes).toBeGreaterThan(3 * megabyte);
      expect(account.sentBytes).toBeLessThan(3 * megabyte);
      expect(arrived.filter(({ packed, data }) => packed === undefined && data.byteLength > megabyte / 2)).not.toEqual([]);
    },
  );

  it.each([
    ["a frame that holds more than it says", { form: "zstd", length: 10 }],
    ["a frame of more than a chunk", { form: "zstd", length: limits.chunkBytes + 1 }],
    ["a run of zeros beyond the limit", { form: "zeros", length: limits.chunkRunBytes + 1 }],
    ["a copy from a base that was not named", { form: "copy", length: 10, from: 0 }],
  ] as const)("refuses %s", async (_what, packed) => {
    const object = { hash: "ab".repeat(32) as ContentHash, size: 2 ** 40 };
    const { zstdCompressSync } = process.getBuiltinModule("node:zlib");
    const data = packed.form === "zstd" && isZstdHere ? zstdCompressSync(Buffer.alloc(50 * megabyte)) : Buffer.alloc(0);
    const bomb = async function* (): AsyncGenerator<Chunk, void, undefined> {
      yield { object, offset: 0, data, packed };
    };
    await expect(connection.upload(bomb())).rejects.toMatchObject({ code: "transfer/protocol" });
    expect(await serverStore.durableOffset(object)).toBe(0);
  });

  it("refuses zeros beyond the announced size", async () => {
    const object = { hash: "cd".repeat(32) as ContentHash, size: 1000 };
    const bomb = async function* (): AsyncGenerator<Chunk, void, undefined> {
      yield { object, offset: 0, data: Buffer.alloc(0), packed: { form: "zeros", length: megabyte } };
    };
    await expect(connection.upload(bomb())).rejects.toMatchObject({ code: "transfer/size-mismatch" });
  });
});
