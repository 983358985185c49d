import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Logger } from "../logging/logger.js";
import { FileModelStore } from "./file-model-store.js";
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
