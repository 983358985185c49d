import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentHash, limits } from "@flare-ts/contracts";
import type { ModelStore, ObjectRef } from "@flare-ts/runtime/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../federation/eventually.js";

/** An implementation of `ModelStore` under test. */
export interface ModelStoreSubject {
  /** Opens the store; called again, it must find what was there, as after a crash of the process that had it open. */
  open(): Promise<ModelStore>;
  /** Removes everything that was stored. */
  dispose(): Promise<void>;
}

/** What every `ModelStore` promises. `create` makes an empty store for each test. */
export function modelStoreCompliance(name: string, create: () => Promise<ModelStoreSubject>): void {
  describe(`${name} as a ModelStore`, () => {
    let subject: ModelStoreSubject;
    let store: ModelStore;
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "flare-model-store-files-"));
      subject = await create();
      store = await subject.open();
    });

    afterEach(async () => {
      await subject.dispose();
      await rm(folder, { recursive: true, force: true });
    });

    const fileOf = async (bytes: Uint8Array): Promise<string> => {
      const path = join(folder, randomBytes(8).toString("hex"));
      await writeFile(path, bytes);
      return path;
    };

    describe("finished objects", () => {
      it.each([0, 1, limits.chunkBytes, limits.chunkBytes * 2 + 7])(
        "gives back the %i bytes that were imported, also after a restart",
        async (size) => {
          const bytes = randomBytes(size);
          const object = await store.importFile(await fileOf(bytes));
          expect(object).toMatchObject({ hash: hashOf(bytes), size });
          store = await subject.open();
          expect(await store.find(object.hash)).toEqual(object);
          expectSame(Buffer.concat(await collect(store.read(object.hash, 0))), bytes);
          expectSame(await readFile(object.path), bytes);
        },
      );

      it("gives an object one name however it came in, and takes it twice without harm", async () => {
        const bytes = randomBytes(1000);
        const imported = await store.importBytes(bytes);
        expect(await store.importBytes(bytes)).toEqual(imported);
        expect(await store.importFile(await fileOf(bytes))).toEqual(imported);
        expect(await store.importFile(await fileOf(bytes), { move: true })).toEqual(imported);
        expect(await collect(store.list())).toEqual([imported.hash]);
      });

      it("leaves a copied file in its place, and takes a moved one away", async () => {
        const copied = await fileOf(Buffer.from("copied"));
        const moved = await fileOf(Buffer.from("moved"));
        await store.importFile(copied);
        const object = await store.importFile(moved, { move: true });
        expect(await readFile(copied, "utf8")).toBe("copied");
        await expect(stat(moved)).rejects.toMatchObject({ code: "ENOENT" });
        expect(await readFile(object.path, "utf8")).toBe("moved");
      });

      it("reads chunks of at most limits.chunkBytes from any offset, each its own memory", async () => {
        const bytes = randomBytes(limits.chunkBytes * 3 + 11);
        const { hash } = await store.importBytes(bytes);
        const offset = limits.chunkBytes - 5;
        const chunks = await collect(store.read(hash, offset));
        for (const chunk of chunks) expect(chunk.byteLength).toBeLessThanOrEqual(limits.chunkBytes);
        expectSame(Buffer.concat(chunks), bytes.subarray(offset));
        expect(await collect(store.read(hash, bytes.byteLength))).toEqual([]);
      });

      it("stops reading when the reader leaves or aborts", async () => {
        const { hash } = await store.importBytes(randomBytes(limits.chunkBytes * 3));
        for await (const chunk of store.read(hash, 0)) {
          expect(chunk.byteLength).toBe(limits.chunkBytes);
          break;
        }
        const abort = new AbortController();
        abort.abort();
        await expect(collect(store.read(hash, 0, abort.signal))).rejects.toThrow(/abort/i);
      });

      it("says that an object or a file is missing, and that an offset lies behind the end", async () => {
        const { hash } = await store.importBytes(Buffer.from("here"));
        const missing = hashOf(Buffer.from("missing"));
        expect(await store.find(missing)).toBeUndefined();
        await expect(collect(store.read(missing, 0))).rejects.toMatchObject({ code: "transfer/object-missing" });
        await expect(collect(store.read(hash, 5))).rejects.toMatchObject({ code: "transfer/wrong-offset" });
        await expect(store.importFile(join(folder, "missing"))).rejects.toMatchObject({ code: "file/not-found" });
      });

      it("forgets an object that is removed, and one that is not there without complaint", async () => {
        const { hash } = await store.importBytes(Buffer.from("gone"));
        await store.remove(hash);
        await store.remove(hash);
        expect(await store.find(hash)).toBeUndefined();
        expect(await collect(store.list())).toEqual([]);
      });
    });

    describe("unfinished objects", () => {
      it.each([0, 1, limits.chunkBytes + 1])("finishes an object of %i bytes that was written in pieces", async (size) => {
        const bytes = randomBytes(size);
        const ref = refOf(bytes);
        const writer = await store.openWriter(ref);
        for (let at = 0; at < size; at += 300_000) await writer.write(bytes.subarray(at, at + 300_000));
        expect(await store.find(ref.hash)).toBeUndefined();
        const object = await writer.commit();
        await writer.close();
        expect(object).toMatchObject(ref);
        expectSame(await readFile(object.path), bytes);
        expect(await store.durableOffset(ref)).toBe(size);
      });

      it("takes zeros without their bytes, and gives them back like any others", async () => {
        const bytes = Buffer.concat([randomBytes(10), Buffer.alloc(2 * limits.chunkBytes + 5), randomBytes(3), Buffer.alloc(7)]);
        const ref = refOf(bytes);
        const writer = await store.openWriter(ref);
        await writer.write(bytes.subarray(0, 10));
        await writer.writeZeros(2 * limits.chunkBytes + 5);
        await writer.close();
        store = await subject.open();
        const next = await store.openWriter(ref);
        expect(next.offset).toBe(2 * limits.chunkBytes + 15);
        await next.write(bytes.subarray(next.offset, next.offset + 3));
        await next.writeZeros(7);
        await next.commit();
        expectSame(Buffer.concat(await collect(store.read(ref.hash, 0))), bytes);
        const file = await store.open(ref.hash);
        await store.remove(ref.hash);
        expectSame(await file.readFile(), bytes);
        await file.close();
      });

      it("keeps what was written when a writer closes, and goes on there after a restart", async () => {
        const bytes = randomBytes(3_000_000);
        const ref = refOf(bytes);
        const writer = await store.openWriter(ref);
        await writer.write(bytes.subarray(0, 1_234_567));
        await writer.close();
        expect(await store.durableOffset(ref)).toBe(1_234_567);
        store = await subject.open();
        expect(await store.durableOffset(ref)).toBe(1_234_567);
        const next = await store.openWriter(ref);
        expect(next.offset).toBe(1_234_567);
        await next.write(bytes.subarray(next.offset));
        const { path } = await next.commit();
        expectSame(await readFile(path), bytes);
      });

      it("never promises bytes that a crash may take: the durable offset is that of the last checkpoint", async () => {
        const bytes = randomBytes(limits.checkpointBytes + 5 * limits.chunkBytes);
        const ref = refOf(bytes);
        const writer = await store.openWriter(ref);
        for (let at = 0; at < bytes.byteLength; at += limits.chunkBytes) await writer.write(bytes.subarray(at, at + limits.chunkBytes));
        // The checkpoint is made beside the writing, which goes on in this process; one that died could not finish it later.
        await eventually("the checkpoint is made", async () => (await store.durableOffset(ref)) === limits.checkpointBytes);
        // The process that wrote dies here: nothing is closed.
        store = await subject.open();
        const durable = await store.durableOffset(ref);
        expect(durable).toBeLessThanOrEqual(bytes.byteLength);
        const next = await store.openWriter(ref);
        expect(next.offset).toBe(durable);
        await next.write(bytes.subarray(next.offset));
        await next.commit();
        await writer.close();
        expectSame(Buffer.concat(await collect(store.read(ref.hash, 0))), bytes);
      });

      it("throws bytes away that do not have the hash, so that the next writer starts at 0", async () => {
        const bytes = randomBytes(1000);
        const ref = refOf(bytes);
        const writer = await store.openWriter(ref);
        await writer.write(randomBytes(1000));
        await expect(writer.commit()).rejects.toMatchObject({ code: "transfer/hash-mismatch" });
        await writer.close();
        expect(await store.durableOffset(ref)).toBe(0);
        expect(await store.find(ref.hash)).toBeUndefined();
        const next = await store.openWriter(ref);
        expect(next.offset).toBe(0);
        await next.write(bytes);
        await next.commit();
      });

      it("refuses to finish an object with too few bytes, and to take too many", async () => {
        const bytes = randomBytes(1000);
        const ref = refOf(bytes);
        const short = await store.openWriter(ref);
        await short.write(bytes.subarray(0, 999));
        await expect(short.commit()).rejects.toMatchObject({ code: "transfer/incomplete" });
        await short.close();
        const long = await store.openWriter(ref);
        await expect(long.write(Buffer.alloc(2))).rejects.toMatchObject({ code: "transfer/size-mismatch" });
        await long.close();
        expect(await store.find(ref.hash)).toBeUndefined();
      });

      it("lets a second writer take over: the first one's next write fails, and nothing of it gets into the object", async () => {
        const bytes = randomBytes(2000);
        const ref = refOf(bytes);
        const first = await store.openWriter(ref);
        await first.write(bytes.subarray(0, 500));
        const second = await store.openWriter(ref);
        expect(second.offset).toBe(500);
        await expect(first.write(randomBytes(100))).rejects.toMatchObject({ code: "transfer/superseded" });
        await expect(first.commit()).rejects.toMatchObject({ code: "transfer/superseded" });
        await first.close();
        await second.write(bytes.subarray(500));
        await second.commit();
        expectSame(Buffer.concat(await collect(store.read(ref.hash, 0))), bytes);
      });

      it("leaves one writer when many open at once", async () => {
        const bytes = randomBytes(4000);
        const ref = refOf(bytes);
        const writers = await Promise.all(Array.from({ length: 5 }, async () => store.openWriter(ref)));
        const written = await Promise.allSettled(writers.map(async (writer) => writer.write(bytes)));
        expect(written.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        await writers.at(-1)?.commit();
        expect(await store.find(ref.hash)).toMatchObject(ref);
      });

      it("takes an unfinished object away with remove", async () => {
        const bytes = randomBytes(1000);
        const ref = refOf(bytes);
        const writer = await store.openWriter(ref);
        await writer.write(bytes.subarray(0, 500));
        await store.remove(ref.hash);
        await expect(writer.write(bytes.subarray(500))).rejects.toMatchObject({ code: "transfer/superseded" });
        expect(await store.durableOffset(ref)).toBe(0);
      });

      it("does not take an object of another size for the one that is asked for", async () => {
        const object = await store.importBytes(Buffer.from("four"));
        await expect(store.durableOffset({ hash: object.hash, size: 5 })).rejects.toMatchObject({ code: "transfer/size-mismatch" });
      });
    });
  });
}

function hashOf(bytes: Uint8Array): ContentHash {
  return createHash("sha256").update(bytes).digest("hex") as ContentHash;
}

function refOf(bytes: Uint8Array): ObjectRef {
  return { hash: hashOf(bytes), size: bytes.byteLength };
}

// Comparing megabytes byte by byte with a picture of the difference takes seconds.
function expectSame(actual: Buffer, expected: Buffer): void {
  expect(actual.equals(expected)).toBe(true);
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
