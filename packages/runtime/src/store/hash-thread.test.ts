import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HashThread } from "./hash-thread.js";

const size = 3_000_001;

describe("hashes on a thread of their own", () => {
  let folder: string;
  let file: FileHandle;
  let bytes: Buffer;
  let thread: HashThread;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-hash-thread-"));
    bytes = randomBytes(size);
    file = await open(join(folder, "object"), "w+");
    thread = new HashThread();
  });

  afterEach(async () => {
    await thread.close();
    await file.close();
    await rm(folder, { recursive: true, force: true });
  });

  const hashOf = (part: Buffer): string => createHash("sha256").update(part).digest("hex");
  const write = async (from: number, to: number): Promise<void> => void (await file.write(bytes, from, to - from, from));

  it("are those of all that was written, while a file grows and beside each other", async () => {
    const hashes = [thread.begin(file), thread.begin(file), thread.begin(file)];
    for (let at = 0; at < size; at += 700_000) {
      const end = Math.min(size, at + 700_000);
      await write(at, end);
      for (const hash of hashes) hash.reached(end);
    }
    expect(await Promise.all(hashes.map((hash) => hash.digest()))).toEqual([hashOf(bytes), hashOf(bytes), hashOf(bytes)]);
    expect(await thread.begin(file).digest()).toBe(hashOf(Buffer.alloc(0)));
  });

  it("go on from a place that was kept, without reading what lies before it again", async () => {
    const first = thread.begin(file);
    await write(0, 2_000_000);
    first.reached(1_500_000);
    const prefix = first.prefix(1_500_000);
    first.reached(2_000_000);
    await first.end();
    // What lies before the place is other bytes by now: only who reads them again comes to another hash.
    await file.write(randomBytes(1000), 0, 1000, 0);
    const next = prefix.resume(file);
    await write(2_000_000, size);
    next.reached(size);
    expect(await next.digest()).toBe(hashOf(bytes));
  });

  it("begin anew where the thread has ended since", async () => {
    const first = thread.begin(file);
    await write(0, size);
    first.reached(1_000_000);
    const prefix = first.prefix(1_000_000);
    await first.end();
    await thread.close();
    const next = prefix.resume(file);
    next.reached(size);
    expect(await next.digest()).toBe(hashOf(bytes));
  });

  it("are those of the next thread while the last one is still ending", async () => {
    await write(0, size);
    await thread.begin(file).digest();
    const closing = thread.close();
    const hash = thread.begin(file);
    hash.reached(size);
    expect(await hash.digest()).toBe(hashOf(bytes));
    await closing;
  });

  it("end at once when they are given up, also while they are waited for", async () => {
    await write(0, size);
    const hash = thread.begin(file);
    hash.reached(size);
    const digest = hash.digest();
    await hash.end();
    expect((await digest).length).toBe(64);
    await thread.begin(file).end();
  });

  it("say that a file is shorter than it was", async () => {
    await write(0, 1000);
    const hash = thread.begin(file);
    hash.reached(2000);
    await expect(hash.digest()).rejects.toMatchObject({ code: "file/unreadable", message: expect.stringContaining("shorter") as string });
  });
});
