import { createHash, randomBytes } from "node:crypto";
import { appendFile, mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileModelStore } from "./file-model-store.js";

const bytes = randomBytes(3_000_000);
const hash = createHash("sha256").update(bytes).digest("hex");
let folder: string;
let store: FileModelStore;
let part: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-followed-"));
  store = await FileModelStore.open({ root: join(folder, "store") });
  path = join(folder, "model");
  part = `${path}.part`;
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a file that is hashed while it is written", () => {
  it("is taken in under the hash of what it came to, also over what stood there before", async () => {
    await writeFile(part, randomBytes(5_000_000));
    const followed = await store.follow(part);
    const file = await open(part, "r+");
    for (let done = 0; done < bytes.byteLength; done += 1_000_000) {
      await file.write(bytes, done, 1_000_000, done);
      followed.reached(done + 1_000_000);
    }
    await file.truncate(bytes.byteLength);
    await file.close();
    await rename(part, path);
    expect(await store.importFile(path, { move: true, followed })).toMatchObject({ hash, size: bytes.byteLength });
    await followed.end();
    await followed.end();
  });

  it("is hashed to its end when it is taken in, however little was told of it", async () => {
    const followed = await store.follow(part);
    await appendFile(part, bytes);
    followed.reached(10);
    await rename(part, path);
    expect(await store.importFile(path, { move: true, followed })).toMatchObject({ hash });
    await followed.end();
  });

  it("gives no hash of a part of it when it is let go of before its end", async () => {
    const followed = await store.follow(part);
    await appendFile(part, bytes);
    followed.reached(bytes.byteLength);
    const digest = followed.digest();
    await Promise.all([followed.end(), expect(digest).rejects.toMatchObject({ code: "internal/aborted" })]);
  });

  it("has no part in the hash of another file, nor once it was let go of", async () => {
    const followed = await store.follow(part);
    await writeFile(part, "something else");
    followed.reached(14);
    await writeFile(path, bytes);
    expect(await store.importFile(path, { move: true, followed })).toMatchObject({ hash });
    await followed.end();
    await rename(part, path);
    const { hash: other } = await store.importFile(path, { move: true, followed });
    expect(other).toBe(createHash("sha256").update("something else").digest("hex"));
  });
});
