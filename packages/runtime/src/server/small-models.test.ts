import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { type ContentHash, limits } from "@flare-ts/contracts";
import {
  type ServerMessage,
  SiteHelloSchema,
  SiteMessageSchema,
  type SubmitUpdateReply,
  SubmitUpdateRequestSchema,
  type Task,
} from "@flare-ts/contracts/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AdminSession } from "../admin/admin-session.js";
import { connectAdmin } from "../admin/connect-admin.js";
import { adminName, createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { FileModelStore } from "../store/file-model-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import type { Connection } from "../transport/connection.js";
import { objectToWire } from "../transport/wire-values.js";
import { type RunningServer, startServer } from "./start-server.js";

let federation: SmallFederation;
let server: RunningServer;
let admin: AdminSession;
let jobId: string;
/** A site of today, and one of a version before there were small models. */
let today: { readonly connection: Connection; readonly task: Promise<Task> };
let older: { readonly connection: Connection; readonly task: Promise<Task> };

beforeAll(async () => {
  federation = await createSmallFederation();
  server = await startServer({ kitDir: federation.kitDir("localhost") });
  admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  today = await attach("site-1", limits.inlineBytes);
  older = await attach("site-2", 0);
  ({ jobId } = await admin.submitJob(await federation.writeJob(["site-1", "site-2"], { minClients: 2 })));
});

afterAll(async () => {
  admin.close();
  await server.stop();
  await federation.dispose();
});

describe("a small model", () => {
  it("comes inside its task to a site that takes it so, and by its name alone to an older one", async () => {
    const { model, modelBytes = new Uint8Array() } = await today.task;
    expect(sha256(modelBytes)).toBe(model?.hash);
    const told = await older.task;
    expect(told.model).toEqual(model);
    expect(told.modelBytes).toBeUndefined();
  });
});

describe("a small update", () => {
  const [bytes, others] = [2, 3].map((value) => encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(value) }]])) as [
    Uint8Array,
    Uint8Array,
  ];

  it("is refused when its bytes are not those that it is named by, or too many for a message", async () => {
    const { connection, task } = today;
    expect(connection.inlineBytes).toBe(limits.inlineBytes);
    await expect(
      submit(
        connection,
        await task,
        bytes,
        bytes.map((byte) => byte ^ 1),
      ),
    ).rejects.toMatchObject({ code: "transfer/hash-mismatch" });
    await expect(submit(connection, await task, bytes, bytes.subarray(1))).rejects.toMatchObject({ code: "transfer/hash-mismatch" });
    const large = new Uint8Array(limits.inlineBytes + 1);
    await expect(submit(connection, await task, large, large)).rejects.toMatchObject({ code: "runtime/bad-message" });
  });

  it("counts when it comes inside the message, once; beside one that an older site has uploaded", async () => {
    expect(await submit(today.connection, await today.task, bytes, bytes)).toMatchObject({ outcome: "accepted" });
    expect(await submit(today.connection, await today.task, bytes, bytes)).toMatchObject({ outcome: "duplicate" });
    const store = await FileModelStore.open({ root: `${federation.folder}/older` });
    await new TransferClient({ store }).upload(async () => older.connection, await store.importBytes(others));
    expect(await submit(older.connection, await older.task, others)).toMatchObject({ outcome: "accepted" });
    const events: unknown[] = [];
    for await (const { event } of admin.watchJob(jobId)) events.push(event);
    const accepted = { type: "update-accepted", transfer: { sentBytes: bytes.byteLength } };
    expect(events.filter((event) => (event as { type: string }).type === "update-accepted")).toMatchObject([
      { ...accepted, site: "site-1" },
      { ...accepted, site: "site-2" },
    ]);
    expect(events.at(-1)).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
  });
});

async function attach(name: string, inlineBytes: number): Promise<{ readonly connection: Connection; readonly task: Promise<Task> }> {
  const connection = await federation.dial(name);
  const told = Promise.withResolvers<Task>();
  const stream = connection.attach(({ message }: ServerMessage) => {
    if (message.case === "task") told.resolve(message.value);
  });
  const hello = create(SiteHelloSchema, { softwareVersion: "test", inlineBytes });
  await stream.write(create(SiteMessageSchema, { message: { case: "hello", value: hello } }));
  return { connection, task: told.promise };
}

function submit(connection: Connection, task: Task, named: Uint8Array, updateBytes?: Uint8Array): Promise<SubmitUpdateReply> {
  const update = objectToWire({ hash: sha256(named), size: named.byteLength });
  const said = { paramsType: "FULL", weight: 1, metricsJson: "{}", metaJson: "{}" };
  return connection.submitUpdate(
    create(SubmitUpdateRequestSchema, { key: task.key, update, ...said, ...(updateBytes === undefined ? {} : { updateBytes }) }),
  );
}

function sha256(bytes: Uint8Array): ContentHash {
  return createHash("sha256").update(bytes).digest("hex") as ContentHash;
}
