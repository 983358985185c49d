import { createHash, randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { chmod, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileModelStore } from "./file-model-store.js";
import { diskError } from "./file-model-store-disk.js";
import type { ObjectRef } from "./model-store.js";

// What every store promises is in the compliance suite of packages/testing; here is what files have of their own.
describe("FileModelStore", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "flare-model-store-"));
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  const bytes = randomBytes(5000);
  const ref: ObjectRef = { hash: createHash("sha256").update(bytes).digest("hex") as ContentHash, size: bytes.byteLength };

  it("names finished files by their hash, read-only, and leaves nothing beside them", async () => {
    const store = await FileModelStore.open({ root });
    const writer = await store.openWriter(ref);
    await writer.write(bytes);
    const { path } = await writer.commit();
    expect(path).toBe(join(root, "objects", ref.hash.slice(0, 2), ref.hash));
    expect((await stat(path)).mode & 0o777).toBe(0o444);
    expect(((await stat((await store.importBytes(Buffer.from("x"))).path)).mode & 0o777).toString(8)).toBe("444");
    expect(await readdir(join(root, "partial"))).toEqual([]);
  });

  it("keeps the file of an object that comes again while it is taken in", async () => {
    const store = await FileModelStore.open({ root });
    for (let turns = 0; turns < 60; turns += 1) {
      const same = Buffer.from(`object ${turns}`);
      const first = store.importBytes(same).then(({ path }) => statSync(path).ino);
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      const { path } = await store.importBytes(same);
      expect(statSync(path).ino).toBe(await first);
    }
    expect(await readdir(join(root, "partial"))).toEqual([]);
  });

  it("makes what arrives durable at each checkpoint", async () => {
    const store = await FileModelStore.open({ root, checkpointBytes: 1000 });
    const writer = await store.openWriter(ref);
    try {
      for (let at = 0; at < 4500; at += 500) await writer.write(bytes.subarray(at, at + 500));
      // Checkpoints run behind the writes.
      await expect.poll(() => store.durableOffset(ref)).toBeGreaterThanOrEqual(1000);
    } finally {
      await writer.close();
    }
  });

  it("cuts what lies behind the durable offset, which a crash may have left in any state", async () => {
    const store = await FileModelStore.open({ root });
    const writer = await store.openWriter(ref);
    await writer.write(bytes.subarray(0, 2000));
    await writer.close();
    const partial = join(root, "partial", ref.hash);
    const file = await open(partial, "r+");
    await file.write(randomBytes(1000), 0, 1000, 2000);
    await file.close();
    const next = await (await FileModelStore.open({ root })).openWriter(ref);
    expect(next.offset).toBe(2000);
    expect((await stat(partial)).size).toBe(2000);
    await next.write(bytes.subarray(2000));
    expect(await readFile((await next.commit()).path)).toEqual(bytes);
  });

  it("starts at 0 when the record of the durable offset is torn or the file is shorter than it says", async () => {
    const store = await FileModelStore.open({ root });
    const writer = await store.openWriter(ref);
    await writer.write(bytes.subarray(0, 2000));
    await writer.close();
    const record = join(root, "partial", `${ref.hash}.offset`);
    const text = await readFile(record, "latin1");
    await writeFile(record, text.replace("2000", "4000"));
    expect(await store.durableOffset(ref)).toBe(0);
    await writeFile(record, text);
    expect(await store.durableOffset(ref)).toBe(2000);
    await writeFile(join(root, "partial", ref.hash), bytes.subarray(0, 100));
    expect(await store.durableOffset(ref)).toBe(0);
  });

  it("finds damage in the part that it resumes", async () => {
    const store = await FileModelStore.open({ root });
    const writer = await store.openWriter(ref);
    await writer.write(bytes.subarray(0, 2000));
    await writer.close();
    const file = await open(join(root, "partial", ref.hash), "r+");
    await file.write(Buffer.from([1, 2, 3]), 0, 3, 100);
    await file.close();
    const next = await (await FileModelStore.open({ root })).openWriter(ref);
    await next.write(bytes.subarray(2000));
    await expect(next.commit()).rejects.toMatchObject({ code: "transfer/hash-mismatch" });
  });

  it("removes copies that a crash left behind when it opens, and keeps unfinished objects", async () => {
    const store = await FileModelStore.open({ root });
    const writer = await store.openWriter(ref);
    await writer.write(bytes.subarray(0, 10));
    await writer.close();
    await writeFile(join(root, "partial", "copy-of-something"), "half");
    await FileModelStore.open({ root });
    expect((await readdir(join(root, "partial"))).toSorted()).toEqual([ref.hash, `${ref.hash}.offset`]);
  });

  it("says that a folder cannot be written, naming it", async () => {
    const path = join(root, "file");
    await writeFile(path, "");
    await expect(FileModelStore.open({ root: path })).rejects.toMatchObject({
      code: "file/unwritable",
      message: expect.stringContaining(path),
    });
  });

  it("calls a full disk by its name", async () => {
    // /dev/full answers each write with ENOSPC; where there is none, the error is made up.
    const full = await open("/dev/full", "w").catch(() => undefined);
    const reason: unknown = full
      ? await full.write("x").catch((error: unknown) => error)
      : Object.assign(new Error("no space"), { code: "ENOSPC" });
    await full?.close();
    expect(diskError(reason, "/models")).toMatchObject({ code: "transfer/disk-full", row: { isRetryable: true } });
  });

  it("imports a file that is only readable", async () => {
    const path = join(root, "update.safetensors");
    await writeFile(path, bytes);
    await chmod(path, 0o400);
    const store = await FileModelStore.open({ root: join(root, "store") });
    expect(await store.importFile(path)).toMatchObject(ref);
    expect(await readdir(join(root, "store", "partial"))).toEqual([]);
  });
});
