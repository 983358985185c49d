import { createHash, randomBytes } from "node:crypto";
import { link, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileModelStore } from "./file-model-store.js";
import type { ObjectRef, StoredObject } from "./model-store.js";
import { SpareFiles } from "./spare-files.js";

const mebibyte = 2 ** 20;

interface Content extends ObjectRef {
  readonly bytes: Buffer;
}

function content(size: number, bytes = randomBytes(size)): Content {
  return { bytes, size, hash: createHash("sha256").update(bytes).digest("hex") as ContentHash };
}

async function receive(store: FileModelStore, { bytes, ...ref }: Content): Promise<StoredObject> {
  const writer = await store.openWriter(ref);
  for (let at = writer.offset; at < ref.size; at += mebibyte) await writer.write(bytes.subarray(at, at + mebibyte));
  return await writer.commit();
}

const inodeOf = async (path: string): Promise<number> => (await stat(path)).ino;

describe("files that are written over", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "flare-reused-"));
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it.each([
    ["as large", 4],
    ["smaller", 3],
    ["larger", 5],
  ])("hold the bytes of an object that is %s, and nothing else", async (_name, mebibytes) => {
    const store = await FileModelStore.open({ root, reuse: "all" });
    const old = content(4 * mebibyte);
    const inode = await inodeOf((await receive(store, old)).path);
    await store.remove(old.hash);
    expect(await store.find(old.hash)).toBeUndefined();
    const next = content(mebibytes * mebibyte + 7);
    const { path } = await receive(store, next);
    expect(await inodeOf(path)).toBe(inode);
    expect((await readFile(path)).equals(next.bytes)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o444);
    expect(await readdir(join(root, "spare"))).toEqual([]);
  });

  it("have zeros where zeros belong, inside and behind what was there", async () => {
    const store = await FileModelStore.open({ root, reuse: "all" });
    const old = content(2 * mebibyte);
    await receive(store, old);
    await store.remove(old.hash);
    const zeros = Buffer.alloc(3 * mebibyte);
    const { bytes, ...ref } = content(0, Buffer.concat([randomBytes(mebibyte / 2), zeros, randomBytes(100)]));
    const whole = { ...ref, size: bytes.byteLength };
    const writer = await store.openWriter(whole);
    await writer.write(bytes.subarray(0, mebibyte / 2));
    await writer.writeZeros(zeros.byteLength);
    await writer.write(bytes.subarray(-100));
    const { path } = await writer.commit();
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it("count for nothing of an object that a crash has left unfinished", async () => {
    const store = await FileModelStore.open({ root, reuse: "all", checkpointBytes: mebibyte });
    const old = content(4 * mebibyte);
    await receive(store, old);
    await store.remove(old.hash);
    const next = content(4 * mebibyte);
    const writer = await store.openWriter(next);
    await writer.write(next.bytes.subarray(0, mebibyte));
    await expect.poll(() => store.durableOffset(next)).toBe(mebibyte);
    // The writer is never closed: what comes next finds what a killed process leaves.
    const later = await FileModelStore.open({ root, reuse: "all" });
    expect(await later.durableOffset(next)).toBe(mebibyte);
    const { path } = await receive(later, next);
    expect((await readFile(path)).equals(next.bytes)).toBe(true);
    await writer.close();
  });

  it("are never those that somebody reads, or has under another name", async () => {
    const store = await FileModelStore.open({ root, reuse: "all" });
    const read = content(2 * mebibyte);
    const linked = content(2 * mebibyte);
    await receive(store, read);
    await link((await receive(store, linked)).path, join(root, "linked"));
    const reader = await store.open(read.hash);
    const chunks = store.read(read.hash, 0)[Symbol.asyncIterator]();
    const first = await chunks.next();
    await store.remove(read.hash);
    await store.remove(linked.hash);
    await receive(store, content(2 * mebibyte));
    await receive(store, content(2 * mebibyte));
    expect((await reader.readFile()).equals(read.bytes)).toBe(true);
    const second = await chunks.next();
    expect(Buffer.concat([first.value as Buffer, second.value as Buffer]).equals(read.bytes)).toBe(true);
    expect((await readFile(join(root, "linked"))).equals(linked.bytes)).toBe(true);
    await Promise.all([reader.close(), chunks.return?.(undefined)]);
  });

  it("are at a site only those that came by a move, and whose path nobody has got since", async () => {
    const store = await FileModelStore.open({ root, reuse: "unseen" });
    const moved = async (): Promise<StoredObject> => {
      const path = join(root, "result");
      await writeFile(path, randomBytes(2 * mebibyte));
      return await store.importFile(path, { move: true });
    };
    const seen = await moved();
    await store.find(seen.hash);
    const received = await receive(store, content(2 * mebibyte));
    const again = await moved();
    // Bytes that are there already stay the object that was lent.
    await writeFile(join(root, "same"), await readFile(received.path));
    await store.importFile(join(root, "same"), { move: true });
    const inode = await inodeOf(again.path);
    const lent = await Promise.all([seen, received].map(async ({ path }) => open(path)));
    for (const { hash } of [seen, received, again]) await store.remove(hash);
    expect(await readdir(join(root, "spare"))).toHaveLength(1);
    expect(await inodeOf((await receive(store, content(2 * mebibyte))).path)).toBe(inode);
    for (const file of lent) await file.close();
  });

  it("go when they are asked back, when nobody takes them, and when another process begins", async () => {
    const folder = join(root, "spare");
    const keepOne = async (spares: SpareFiles, bytes = mebibyte): Promise<void> => {
      await writeFile(join(root, "old"), Buffer.alloc(bytes));
      await spares.keep(join(root, "old"));
    };
    const spares = await SpareFiles.open({ folder, idleMs: 60_000 });
    await keepOne(spares, 100);
    expect(await readdir(folder)).toEqual([]);
    await keepOne(spares);
    await keepOne(spares);
    expect(await spares.release()).toBe(2 * mebibyte);
    expect(await readdir(folder)).toEqual([]);
    await keepOne(spares);
    await SpareFiles.open({ folder });
    expect(await readdir(folder)).toEqual([]);
    // The one that it thinks it has is gone.
    expect(await spares.take(mebibyte, join(root, "new"))).toBe(false);
    await keepOne(await SpareFiles.open({ folder, idleMs: 1 }));
    await expect.poll(() => readdir(folder)).toEqual([]);
  });
});
