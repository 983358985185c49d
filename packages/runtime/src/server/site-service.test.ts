import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { FlareError } from "@flare-ts/contracts";
import { SubmitUpdateRequestSchema } from "@flare-ts/contracts/wire";
import { describe, expect, it, onTestFinished } from "vitest";
import { lineLogger } from "../logging/line-logger.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { FileModelStore } from "../store/file-model-store.js";
import { ObjectRetention } from "../store/object-retention.js";
import type { CallContext } from "../transport/connection.js";
import { objectToWire } from "../transport/wire-values.js";
import { SiteDirectory } from "./site-directory.js";
import { SiteService, type SiteServiceComponents } from "./site-service.js";

const jobId = "0b0e7c1c-5f0e-4a52-9a3f-5f5a4f4a7a12";

describe("an update that cannot be taken yet", () => {
  it("is kept for the site to hand it in again", async () => {
    const { models, update, handIn, drop } = await setUp();
    expect(await handIn({ round: 0 })).toBe("store/full");
    await drop();
    expect(await models.find(update.hash)).toBeDefined();
  });

  it("is not kept where the site has no such task, whatever it says how often", async () => {
    const { models, update, handIn, drop } = await setUp();
    for (let round = 1; round < 10; round += 1) expect(await handIn({ round })).toBe("store/full");
    expect(await handIn({ round: 1, bytes: 1 })).toBe("runtime/update-missing");
    await drop();
    expect(await models.find(update.hash)).toBeUndefined();
  });

  it("is kept without others that were named for its task before", async () => {
    const { models, handIn } = await setUp();
    const other = await models.importBytes(Buffer.from("another"));
    expect(await handIn({ round: 0 }, other)).toBe("store/full");
    expect(await handIn({ round: 0 })).toBe("store/full");
    expect(await models.find(other.hash)).toBeUndefined();
  });
});

describe("places for sites", () => {
  it("are taken from the moment on at which a stream opens: of two that come at once, one is refused", async () => {
    const { attach } = await setUp();
    const first = attach("site-1");
    expect(() => attach("site-2")).toThrow(expect.objectContaining({ code: "runtime/too-many-sites" }));
    // The same site once more, as after a cut that the server has not noticed yet.
    attach("site-1").onClose("over");
    first.onClose("over");
    attach("site-2").onClose("over");
  });
});

async function setUp() {
  const root = await mkdtemp(join(tmpdir(), "flare-site-service-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const models = await FileModelStore.open({ root });
  const logger = lineLogger(undefined);
  const retention = new ObjectRetention({ models, logger });
  const update = await models.importBytes(Buffer.from("an update"));
  await retention.hold("somebody", [update.hash]);
  const service = new SiteService(
    {
      models,
      retention,
      logger,
      jobs: { isParticipant: () => true },
      takeAccount: () => undefined,
      hub: { acceptUpdate: () => Promise.reject(new FlareError("store/full", "No space is left.")) },
      store: { openTasksOf: async () => [{ jobId, round: 0, task: "train" }] },
      directory: new SiteDirectory({ now: Date.now }),
      now: Date.now,
      stallClock: systemStallClock,
      heardOf: () => 0,
    } as unknown as SiteServiceComponents,
    { maxClients: 1 },
  );
  const context = { identity: { name: "site-1" } } as CallContext;
  const handIn = async (
    { round, bytes = update.size }: { readonly round: number; readonly bytes?: number },
    object = update,
  ): Promise<string> => {
    const key = { $typeName: "flare.v1.TaskKey", jobId, round, task: "train" } as const;
    const named = objectToWire({ ...object, size: object === update ? bytes : object.size });
    const request = create(SubmitUpdateRequestSchema, { key, update: named, paramsType: "FULL", weight: 1 });
    return await service.submitUpdate(context, request).then(
      () => "taken",
      (error: unknown) => FlareError.from(error).code,
    );
  };
  const attach = (name: string) => service.attach({ ...context, identity: { name } } as CallContext, async () => Promise.resolve());
  return { attach, models, update, handIn, drop: () => retention.release("somebody") };
}
