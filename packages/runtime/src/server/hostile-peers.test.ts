import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { encodeSafetensors } from "@flare-ts/aggregator";
import {
  type ServerMessage,
  SiteHelloSchema,
  type SiteMessage,
  SiteMessageSchema,
  SubmitUpdateRequestSchema,
  type Task,
  TaskKeySchema,
  TaskProgressSchema,
} from "@flare-ts/contracts/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AdminSession } from "../admin/admin-session.js";
import { connectAdmin } from "../admin/connect-admin.js";
import type { JournalEntry } from "../job/job-event.js";
import { adminName, createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { FileModelStore } from "../store/file-model-store.js";
import type { StoredObject } from "../store/model-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import type { Connection, OutgoingStream } from "../transport/connection.js";
import { type RunningServer, startServer } from "./start-server.js";

let federation: SmallFederation;
let server: RunningServer;
let admin: AdminSession;
let site: Connection;
let stream: OutgoingStream<SiteMessage>;
let jobId: string;
let task: Task;
let update: StoredObject;

beforeAll(async () => {
  federation = await createSmallFederation();
  server = await startServer({ kitDir: federation.kitDir("localhost") });
  admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  site = await federation.dial("site-1");
  const told = Promise.withResolvers<Task>();
  stream = site.attach(({ message }: ServerMessage) => {
    if (message.case === "task") told.resolve(message.value);
  });
  await say({ case: "hello", value: create(SiteHelloSchema, { softwareVersion: "evil" }) });
  ({ jobId } = await admin.submitJob(await federation.writeJob(["site-1"])));
  task = await told.promise;
  const store = await FileModelStore.open({ root: `${federation.folder}/evil` });
  update = await store.importBytes(encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(2) }]]));
  await new TransferClient({ store }).upload(async () => site, update);
});

afterAll(async () => {
  admin.close();
  await server.stop();
  await federation.dispose();
});

describe("what a hostile site says", () => {
  const good = { paramsType: "FULL", weight: 1, metricsJson: "{}", metaJson: "{}" };
  it.each<[string, Partial<typeof good>, string]>([
    ["metrics that are not JSON", { metricsJson: "{" }, "runtime/bad-message"],
    ["metrics that are a list", { metricsJson: "[1]" }, "runtime/bad-message"],
    ["metrics that are no numbers", { metricsJson: '{"a":"b"}' }, "runtime/bad-message"],
    ["metrics of many megabytes", { metricsJson: JSON.stringify({ ["x".repeat(2_000_000)]: 1 }) }, "runtime/report-too-large"],
    ["properties that are not JSON", { metaJson: "nonsense" }, "runtime/bad-message"],
    ["properties that are not an object", { metaJson: "null" }, "runtime/bad-message"],
    ["properties of many megabytes", { metaJson: JSON.stringify({ a: "x".repeat(2_000_000) }) }, "runtime/report-too-large"],
    ["a negative weight", { weight: -1 }, "runtime/bad-message"],
    ["a weight that is no number", { weight: Number.NaN }, "runtime/bad-message"],
    ["an infinite weight", { weight: Number.POSITIVE_INFINITY }, "runtime/bad-message"],
    ["an unknown kind of parameters", { paramsType: "__proto__" }, "runtime/bad-message"],
    ["a kind that is cut in the middle of a character", { paramsType: `x${"😀".repeat(300)}` }, "runtime/bad-message"],
    ["a kind that is cut in the middle of another one", { paramsType: "😀".repeat(300) }, "runtime/bad-message"],
  ])("is refused with a code, not taken for a bug: %s", async (_case, change, code) => {
    const request = create(SubmitUpdateRequestSchema, { key: task.key, update: wire(update), ...good, ...change });
    await expect(site.submitUpdate(request)).rejects.toMatchObject({ code });
  });

  it("is late when it is about a job that it does not take part in, whatever its id", async () => {
    for (const id of ["../..", "__proto__", "0b7a0c7e-2f55-4a53-9a5f-000000000000"]) {
      const key = create(TaskKeySchema, { round: 0, task: task.key?.task ?? "", jobId: id });
      const request = create(SubmitUpdateRequestSchema, { key, update: wire(update), ...good });
      expect(await site.submitUpdate(request)).toMatchObject({ outcome: "late" });
    }
  });

  it("does not come from another site that the job was not given to", async () => {
    const stranger = await federation.dial("site-2");
    const request = create(SubmitUpdateRequestSchema, { key: task.key, update: wire(update), ...good });
    expect(await stranger.submitUpdate(request)).toMatchObject({ outcome: "late" });
    await expect(stranger.stat({ hash: update.hash, size: update.size })).rejects.toMatchObject({ code: "transfer/not-allowed" });
  });

  it("leaves no more in a journal when it says it a thousand times, and the server goes on answering", async () => {
    const before = await journal();
    const failed = { key: create(TaskKeySchema, { jobId, task: "train", round: 77 }), errorJson: "x".repeat(10_000) };
    for (let i = 0; i < 1_000; i++) {
      await say({ case: "hello", value: create(SiteHelloSchema, { softwareVersion: "again" }) });
      await say({ case: "taskFailed", value: { ...failed, $typeName: "flare.v1.TaskFailed" } });
    }
    // What comes after all of that has been heard, so that has been too.
    await say({ case: "taskProgress", value: create(TaskProgressSchema, { key: task.key, phase: "training", done: 77n, total: 100n }) });
    await expect.poll(async () => (await admin.jobMeta(jobId)).progress["site-1"]).toMatchObject({ done: 77 });
    expect((await admin.status()).sites).toMatchObject([{ name: "site-1", state: "connected" }]);
    expect((await journal()).length).toBe(before.length);
  });

  it("is heard once when it leaves a job again and again, and its error is cut to what a journal can hold", async () => {
    const errorJson = JSON.stringify({ code: "client-api/trainer-died", message: "m".repeat(100_000), facts: { a: "f".repeat(100_000) } });
    for (let i = 0; i < 50; i++) await say({ case: "jobLeft", value: { jobId, errorJson, $typeName: "flare.v1.JobLeft" } });
    const left = await collect(jobId);
    expect(left.filter(({ event }) => event.type === "site-left").length).toBe(1);
    expect(JSON.stringify(left).length).toBeLessThan(20_000);
    // The only site has left, so the job cannot reach its quorum.
    expect(left.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:EXECUTION_EXCEPTION" });
  });
});

describe("what an admin asks for", () => {
  it("is refused with a code when its arguments make no sense", async () => {
    await expect(admin.abortJob("../..")).rejects.toMatchObject({ code: "runtime/invalid-argument" });
    await expect(admin.jobMeta("nonsense")).rejects.toMatchObject({ code: "runtime/invalid-argument" });
    await expect(admin.abortJob(jobId, "x".repeat(1_000))).rejects.toMatchObject({ code: "runtime/invalid-argument" });
    await expect(admin.listJobs({ limit: -1 })).rejects.toMatchObject({ code: "runtime/invalid-argument" });
    await expect(admin.jobMeta("0b7a0c7e-2f55-4a53-9a5f-000000000000")).rejects.toMatchObject({ code: "job/not-found" });
  });

  it("is done for a job that waits: it ends, and whoever watches it hears so", async () => {
    const { jobId: waiting } = await admin.submitJob(await federation.writeJob(["site-2"]));
    await expect.poll(async () => (await admin.jobMeta(waiting)).reason).toMatch(/^waits/);
    const watched = collect(waiting);
    expect(await admin.abortJob(waiting, "not needed")).toEqual({ status: "FINISHED:ABORTED", wasOver: false });
    expect((await watched).map(({ event }) => event.type)).toEqual(["job-submitted", "job-ended"]);
    expect(await admin.abortJob(waiting)).toEqual({ status: "FINISHED:ABORTED", wasOver: true });
  });

  it("is done for a job in whatever moment of its start, and the job never runs afterwards", async () => {
    for (let i = 0; i < 8; i++) {
      const { jobId: id } = await admin.submitJob(await federation.writeJob(["site-1"]));
      await sleep(i * 4);
      await admin.abortJob(id);
      const events = (await collect(id)).map(({ event }) => event.type);
      expect(events.at(-1)).toBe("job-ended");
      expect(events.filter((type) => type === "job-ended").length).toBe(1);
    }
    await expect.poll(async () => (await admin.status()).runningJobs).toEqual([]);
  });
});

async function say(message: SiteMessage["message"]): Promise<void> {
  await stream.write(create(SiteMessageSchema, { message }));
}

async function collect(id: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of admin.watchJob(id)) entries.push(entry);
  return entries;
}

/** The journal so far. */
async function journal(): Promise<readonly JournalEntry[]> {
  return (await admin.jobEvents(jobId)).entries;
}

function wire({ hash, size }: StoredObject): { hash: string; size: bigint; $typeName: "flare.v1.ObjectRef" } {
  return { hash, size: BigInt(size), $typeName: "flare.v1.ObjectRef" };
}
