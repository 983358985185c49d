import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type ContentHash, limits } from "@flare-ts/contracts";
import { SubmitUpdateReplySchema, type SubmitUpdateRequest } from "@flare-ts/contracts/wire";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lineLogger } from "../logging/line-logger.js";
import { FileModelStore } from "../store/file-model-store.js";
import { ObjectRetention } from "../store/object-retention.js";
import type { SiteResult, SiteStore } from "../store/site-store.js";
import { openSqliteSiteStore } from "../store/sqlite-site-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import type { Connection } from "../transport/connection.js";
import { ResultDelivery } from "./result-delivery.js";
import { TaskReporter } from "./task-reporter.js";

const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
const hash = createHash("sha256").update(bytes).digest("hex") as ContentHash;
const result: SiteResult = {
  jobId: "j1",
  round: 0,
  task: "train",
  update: { hash, size: bytes.byteLength },
  bytes,
  paramsType: "FULL",
  weight: 1,
  metrics: {},
  meta: {},
};

let folder = "";
let store: SiteStore;
let models: FileModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-delivery-"));
  store = await openSqliteSiteStore({ path: join(folder, "site.db") });
  models = await FileModelStore.open({ root: join(folder, "models") });
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A server as far as a delivery sees it. */
function serverThatTakes(inlineBytes: number) {
  const uploaded: Buffer[] = [];
  const submitted: SubmitUpdateRequest[] = [];
  const connection = {
    inlineBytes,
    stat: async () => ({ isComplete: false, durableOffset: 0 }),
    upload: async (chunks: AsyncIterable<{ readonly data: Uint8Array }>) => {
      for await (const { data } of chunks) uploaded.push(Buffer.from(data));
      return { isComplete: true, durableOffset: bytes.byteLength };
    },
    submitUpdate: async (request: SubmitUpdateRequest) => {
      submitted.push(request);
      return create(SubmitUpdateReplySchema, { outcome: "accepted" });
    },
  };
  return { uploaded, submitted, connection: connection as unknown as Connection };
}

async function deliver(connection: Connection): Promise<void> {
  const logger = lineLogger(undefined);
  const link = { connection: async () => connection, tell: () => undefined };
  const reporter = new TaskReporter({ link, steadyNow: () => 0 });
  const retention = new ObjectRetention({ models, logger });
  const transfer = new TransferClient({ store: models });
  const delivery = new ResultDelivery({ link, transfer, models, store, retention, reporter, logger, random: () => 0 });
  // As after a kill: what waits in the store is brought.
  await delivery.start();
  await expect.poll(() => store.pendingResults()).toEqual([]);
  await delivery.stop();
  reporter.stop();
}

it("a small result goes inside the message that hands it in", async () => {
  await store.addResult(result);
  const server = serverThatTakes(limits.inlineBytes);
  await deliver(server.connection);
  expect(server.submitted).toMatchObject([{ update: { hash, size: 300n }, updateBytes: bytes }]);
  expect(server.uploaded).toEqual([]);
});

it("a small result is uploaded to a server that takes none inside messages, and nothing is left of it", async () => {
  await store.addResult(result);
  const server = serverThatTakes(0);
  await deliver(server.connection);
  expect(Buffer.concat(server.uploaded)).toEqual(Buffer.from(bytes));
  expect(server.submitted).toMatchObject([{ update: { hash, size: 300n } }]);
  expect(server.submitted[0]?.updateBytes).toBeUndefined();
  expect(await models.find(hash)).toBeUndefined();
});
