import { randomBytes } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileModelStore } from "../store/file-model-store.js";
import type { StoredObject } from "../store/model-store.js";
import { startTestServer, type TestServer } from "../transport/test-server.test-support.js";
import { TransferClient } from "./transfer-client.js";
import { TransferServer } from "./transfer-server.js";

const isLong = process.env["FLARE_LARGE"] === "1";
/** Two tensors; by FLARE_LARGE=1 each is over 2 GiB and both together over 4 GiB. */
const tensorBytes = isLong ? 2 ** 31 + 2 ** 28 + 4096 : 9 * 2 ** 20 + 4096;

let folder = "";
let server: TestServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-large-"));
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it(
  `moves a model of ${isLong ? "over 4 GiB" : "some MiB (over 4 GiB by FLARE_LARGE=1)"} there and back, resumed behind its middle, with what changed only`,
  async () => {
    const serverStore = await FileModelStore.open({ root: join(folder, "server") });
    const siteStore = await FileModelStore.open({ root: join(folder, "site") });
    const sent: number[] = [];
    const transfers = new TransferServer({
      store: serverStore,
      guard: { mayRead: async () => true, mayWrite: async () => true },
      onSent: (_name, _object, account) => sent.push(account.sentBytes),
    });
    server = await startTestServer({
      stat: async (context, object, base) => transfers.stat(context, object, base),
      upload: async (context, object, chunks) => transfers.upload(context, object, chunks),
      download: (context, object, offset, means) => transfers.download(context, object, offset, means),
    });
    const connection = await server.dial("site-1");
    const client = new TransferClient({ store: siteStore });

    const first = await sparseModel(siteStore, [0, tensorBytes - 100, tensorBytes + 5000, 2 * tensorBytes - 7]);
    const middle = tensorBytes + 1000;
    const writer = await serverStore.openWriter(first);
    const file = await open(first.path, "r");
    await copyUpTo(file, writer, middle);
    await file.close();
    await writer.close();
    expect(await serverStore.durableOffset(first)).toBe(middle);
    await client.upload(async () => connection, first);
    expect(await serverStore.find(first.hash)).toMatchObject({ size: first.size });

    const second = await sparseModel(serverStore, [0, 2 * tensorBytes - 7]);
    const fetched = await client.download(async () => connection, second, undefined, undefined, { base: first });
    expect(fetched.size).toBe(second.size);
    expect(sent[0]).toBeLessThan(limits.chunkBytes);
  },
  isLong ? 600_000 : 30_000,
);

/** Two tensors of zeros, most of them holes in the file, with some random bytes at these places of the data. */
async function sparseModel(store: FileModelStore, places: readonly number[]): Promise<StoredObject> {
  const path = join(folder, "model");
  const header = Buffer.from(
    JSON.stringify({
      a: { dtype: "F32", shape: [tensorBytes / 4], data_offsets: [0, tensorBytes] },
      b: { dtype: "F32", shape: [tensorBytes / 4], data_offsets: [tensorBytes, 2 * tensorBytes] },
    }),
  );
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.byteLength));
  const file = await open(path, "w");
  await file.write(Buffer.concat([prefix, header]));
  await file.truncate(8 + header.byteLength + 2 * tensorBytes);
  for (const place of places) await file.write(randomBytes(7), 0, 7, 8 + header.byteLength + place);
  await file.close();
  return await store.importFile(path, { move: true });
}

async function copyUpTo(
  file: FileHandle,
  writer: { write(bytes: Uint8Array): Promise<void>; writeZeros(length: number): Promise<void> },
  end: number,
): Promise<void> {
  const block = Buffer.alloc(limits.chunkBytes);
  for (let at = 0; at < end; at += block.byteLength) {
    const { bytesRead } = await file.read(block, 0, Math.min(block.byteLength, end - at), at);
    const bytes = block.subarray(0, bytesRead);
    if (bytes.every((byte) => byte === 0)) await writer.writeZeros(bytesRead);
    else await writer.write(Buffer.from(bytes));
  }
}
