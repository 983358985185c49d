import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentHash, contentHashSchema } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Logger } from "../logging/logger.js";
import { FileModelStore } from "./file-model-store.js";
import type { ObjectWriter } from "./model-store.js";
import { ObjectRetention } from "./object-retention.js";

const silent: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silent,
};
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-retention-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("an object of the store", () => {
  it("is removed when the last holder drops it, and not before", async () => {
    const models = await FileModelStore.open({ root: folder });
    const { hash } = await models.importBytes(Buffer.from("model"));
    const retention = new ObjectRetention({ models, logger: silent });
    await retention.hold("job:1", [hash]);
    await retention.hold("job:2", [hash]);
    await retention.keepOnly("job:1", []);
    expect(await models.find(hash)).toBeDefined();
    await retention.release("job:2");
    expect(await models.find(hash)).toBeUndefined();
  });

  it("is not removed under a holder that comes while another one drops it", async () => {
    const models = await FileModelStore.open({ root: folder });
    const retention = new ObjectRetention({ models, logger: silent });
    const { hash } = await models.importBytes(Buffer.from("model"));
    await retention.hold("task:1", [hash]);
    const dropped = retention.release("task:1");
    await retention.hold("task:2", [hash]);
    const found = await models.find(hash);
    await dropped;
    expect(await models.find(hash)).toEqual(found);
  });

  it("stays with a holder that takes it anew while it lets go of another", async () => {
    const models = await FileModelStore.open({ root: folder });
    const retention = new ObjectRetention({ models, logger: silent });
    const [old, anew] = [await models.importBytes(Buffer.from("old")), await models.importBytes(Buffer.from("anew"))];
    await retention.hold("job:1", [old.hash]);
    const released = retention.release("job:1");
    await retention.hold("job:1", [anew.hash]);
    await released;
    await retention.sweep();
    expect(await models.find(old.hash)).toBeUndefined();
    expect(await models.find(anew.hash)).toBeDefined();
  });

  it("that somebody began to upload, or did not hand in, is swept away when it was left for long", async () => {
    const models = await FileModelStore.open({ root: folder });
    const retention = new ObjectRetention({ models, logger: silent });
    const bytes = Buffer.from("an update");
    const begin = async (hash: string): Promise<{ readonly hash: ContentHash; readonly writer: ObjectWriter }> => {
      const ref = { hash: contentHashSchema.parse(hash.repeat(64)), size: bytes.byteLength };
      const writer = await models.openWriter(ref);
      await writer.write(bytes.subarray(0, 4));
      return { hash: ref.hash, writer };
    };
    const [young, old, live] = [await begin("a"), await begin("b"), await begin("c")];
    await Promise.all([young.writer.close(), old.writer.close()]);
    const [held, loose, fresh] = await Promise.all(["held", "loose", "fresh"].map((text) => models.importBytes(Buffer.from(text))));
    if (held === undefined || loose === undefined || fresh === undefined) throw new TypeError("nothing was imported");
    await retention.hold("job:1", [held.hash]);
    const partial = (hash: string): string => join(folder, "partial", hash);
    for (const path of [partial(old.hash), partial(live.hash), held.path, loose.path]) await utimes(path, 0, 0);
    await retention.sweep(models.unchanged(60_000));
    expect((await readdir(join(folder, "partial"))).toSorted()).toEqual([young.hash, `${young.hash}.offset`, live.hash]);
    expect(await Promise.all([held, loose, fresh].map(async ({ hash }) => (await models.find(hash)) !== undefined))).toEqual([
      true,
      false,
      true,
    ]);
    await live.writer.close();
  });

  it("that a crash left without a holder is swept away, and the others stay", async () => {
    const models = await FileModelStore.open({ root: folder });
    const kept = await models.importBytes(Buffer.from("kept"));
    const left = await models.importBytes(Buffer.from("left"));
    const retention = new ObjectRetention({ models, logger: silent });
    await retention.hold("job:1", [kept.hash]);
    await retention.sweep();
    expect(await models.find(kept.hash)).toBeDefined();
    expect(await models.find(left.hash)).toBeUndefined();
  });
});
