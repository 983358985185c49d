import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ModelStore } from "../store/model-store.js";
import { TransferStores } from "./transfer-stores.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-transfers-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("TransferStores", () => {
  it("gives each of two transfers of the same file a store to itself, so that neither takes it from the other", async () => {
    const file = join(folder, "model.bin");
    await writeFile(file, "the same bytes");
    const stores = open();
    await stores.use(async (first) => {
      const { hash, path } = await first.models.importFile(file);
      await open().use(async (second) => {
        const own = await second.models.importFile(file);
        expect(own).toMatchObject({ hash });
        expect(own.path).not.toBe(path);
        await second.models.remove(hash);
      });
      expect(await first.models.find(hash)).toMatchObject({ path });
    });
  });

  it("takes the first store that is free, where a transfer finds what it had when it was broken off", async () => {
    const stores = open();
    const broken = stores.use(async ({ models }) => {
      await models.importBytes(Buffer.from("kept"));
      throw new Error("the link is gone");
    });
    await expect(broken).rejects.toThrow("the link is gone");
    await stores.use(async ({ models }) => {
      expect(await objectsOf(models)).toHaveLength(1);
      await stores.use(async (other) => expect(await objectsOf(other.models)).toEqual([]));
    });
    expect((await readdir(folder)).toSorted()).toEqual(["models", "models-2"]);
  });

  it("says where no store can be made", async () => {
    await writeFile(join(folder, "file"), "");
    const stores = new TransferStores({ now: Date.now }, { folder: join(folder, "file") });
    const message = expect.stringContaining(join(folder, "file", "models")) as string;
    await expect(stores.use(() => Promise.resolve())).rejects.toMatchObject({ code: "file/unwritable", message });
  });

  it("takes over the store of a process that is gone", async () => {
    await open().use(() => Promise.resolve());
    await writeFile(join(folder, "models", "pid.fl"), JSON.stringify({ pid: 2 ** 22 - 1, started: "1", state: "starting", sinceMs: 0 }));
    await open().use(({ models }) => models.importBytes(Buffer.from("x")));
    expect(await readdir(folder)).toEqual(["models"]);
  });
});

async function objectsOf(models: ModelStore): Promise<ContentHash[]> {
  const hashes: ContentHash[] = [];
  for await (const hash of models.list()) hashes.push(hash);
  return hashes;
}

function open(): TransferStores {
  return new TransferStores({ now: Date.now }, { folder });
}
