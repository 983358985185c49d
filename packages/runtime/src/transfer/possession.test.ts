import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentHash, limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ObjectGrants } from "../server/object-grants.js";
import { FileModelStore } from "../store/file-model-store.js";
import type { ObjectRef } from "../store/model-store.js";
import type { CallContext, Chunk } from "../transport/connection.js";
import { TransferServer } from "./transfer-server.js";

const bytes = Buffer.alloc(2.5 * limits.chunkBytes, "flare");
const object: ObjectRef = { hash: createHash("sha256").update(bytes).digest("hex") as ContentHash, size: bytes.byteLength };
let folder: string;
let server: TransferServer;
let store: FileModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-possession-"));
  store = await FileModelStore.open({ root: join(folder, "models") });
  const grants = new ObjectGrants({ mayUpload: () => Promise.resolve(true) });
  server = new TransferServer({ store, guard: grants, possession: grants });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const admin = (name: string): CallContext => ({
  identity: { name, org: "o", role: "lead", kind: "admin", fingerprint: "", chainPem: "" },
  sessionId: name,
  signal: new AbortController().signal,
});

async function* chunksOf(content: Buffer, from = 0): AsyncGenerator<Chunk> {
  for (let offset = from; offset < content.byteLength; offset += limits.chunkBytes) {
    const data = content.subarray(offset, offset + limits.chunkBytes);
    yield { ...(offset === from ? { object } : {}), offset, data };
  }
}

describe("an object that an admin has not sent", () => {
  it("is asked for in full although another has sent it, and is known to both from then on", async () => {
    const [ann, bob] = [admin("ann@o.org"), admin("bob@o.org")];
    expect(await server.upload(ann, object, chunksOf(bytes))).toMatchObject({ isComplete: true });
    expect(await server.stat(ann, object)).toMatchObject({ isComplete: true });
    expect(await server.stat(bob, object)).toMatchObject({ isComplete: false, durableOffset: 0 });
    expect(await server.upload(bob, object, chunksOf(bytes))).toMatchObject({ isComplete: true });
    expect(await server.stat(bob, object)).toMatchObject({ isComplete: true });
  });

  it("is not had by sending a part of it, its end, or other bytes, and stays as it is", async () => {
    const bob = admin("bob@o.org");
    await server.upload(admin("ann@o.org"), object, chunksOf(bytes));
    expect(await server.upload(bob, object, chunksOf(bytes.subarray(0, -1)))).toMatchObject({ isComplete: false, durableOffset: 0 });
    expect(await server.upload(bob, object, chunksOf(bytes, limits.chunkBytes))).toMatchObject({ isComplete: false, durableOffset: 0 });
    const other = Buffer.from(bytes).fill("x", bytes.byteLength - 1);
    await expect(server.upload(bob, object, chunksOf(other))).rejects.toMatchObject({ code: "transfer/hash-mismatch" });
    expect(await server.stat(bob, object)).toMatchObject({ isComplete: false });
    const held = await store.find(object.hash);
    expect(bytes.equals(await readFile(held?.path ?? ""))).toBe(true);
  });
});
