import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type ServerMessage, ServerMessageSchema, type SiteMessage } from "@flare-ts/contracts/wire";
import { TrustKeeper } from "@flare-ts/provision/kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJobFolder } from "../job/read-job-folder.js";
import { createSignedJob } from "../job/signed-job.js";
import { adminName, createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { Authenticator } from "../session/authenticator.js";
import { readProjectKeys } from "../session/project-keys.js";
import { FileModelStore } from "../store/file-model-store.js";
import { TransferServer } from "../transfer/transfer-server.js";
import type { ServerHandlers } from "../transport/connection.js";
import { GrpcServerTransport } from "../transport/grpc-server-transport.js";
import { objectToWire } from "../transport/wire-values.js";
import { type RunningSite, startSite } from "./start-site.js";

let federation: SmallFederation;
let transport: GrpcServerTransport;
let models: FileModelStore;
let site: RunningSite;
let tell: (message: ServerMessage["message"]) => Promise<void>;
const heard: SiteMessage["message"][] = [];

beforeAll(async () => {
  federation = await createSmallFederation();
  const kit = await federation.kit("localhost");
  const keys = readProjectKeys(kit, (await TrustKeeper.open(kit)).trust);
  models = await FileModelStore.open({ root: `${federation.folder}/evil` });
  const transfer = new TransferServer({
    store: models,
    guard: { mayRead: () => Promise.resolve(true), mayWrite: () => Promise.resolve(true) },
  });
  const unused = (): never => {
    throw new TypeError("no site makes this call");
  };
  const handlers: ServerHandlers = {
    attach: (_context, send) => {
      tell = (message) => send(create(ServerMessageSchema, { message }));
      return {
        onMessage: ({ message }) => {
          heard.push(message);
          if (message.case === "hello") void tell({ case: "heartbeat", value: { sentAtMs: 0n, $typeName: "flare.v1.Heartbeat" } });
        },
        onClose: () => undefined,
      };
    },
    stat: (context, object) => transfer.stat(context, object),
    upload: (context, object, chunks) => transfer.upload(context, object, chunks),
    download: (context, object, offset) => transfer.download(context, object, offset),
    submitUpdate: unused,
    execute: unused,
    watch: unused,
    renew: unused,
  };
  const authenticator = new Authenticator({ audit: () => undefined }, { project: kit.project, serverName: kit.name, keys });
  transport = new GrpcServerTransport({ handlers, authenticator }, { host: "127.0.0.1", port: kit.endpoint.port, keys });
  await transport.start();
  site = await startSite({ kitDir: federation.kitDir("site-1") });
}, 60_000);

afterAll(async () => {
  await site.stop();
  await transport.stop(1_000);
  await federation.dispose();
});

describe("a site whose server is hostile", () => {
  it("takes no name of a folder from it", async () => {
    const kitDir = federation.kitDir("site-1");
    const before = await listing(kitDir);
    const signedJob = { hash: "a".repeat(64), size: 10n, $typeName: "flare.v1.ObjectRef" as const };
    const ids = ["..", "../..", "../../startup", "", ".", "startup", "/etc", "a/b", "\0"];
    for (const jobId of ids) {
      await tell({ case: "deploy", value: { jobId, app: "app", signedJob, $typeName: "flare.v1.DeployJob" } });
      await tell({ case: "endJob", value: { jobId, status: "FINISHED:ABORTED", reason: "", $typeName: "flare.v1.EndJob" } });
    }
    const jobs = ids.map((jobId) => ({ jobId, app: "app", signedJob, $typeName: "flare.v1.DeployJob" as const }));
    await tell({ case: "desired", value: { jobs, tasks: [], $typeName: "flare.v1.DesiredState" } });
    await expect.poll(async () => (await logOf(kitDir)).split("that is not a job id").length - 1).toBe(2 * ids.length);
    expect(await listing(kitDir)).toEqual(before);
  });

  it.each(["other", "app/custom", "", "../app"])("runs no other app than the signed deploy_map gives it, as here '%s'", async (app) => {
    await deploy({ app });
    expect(await leaving()).toMatchObject({ code: "job/wrong-app" });
  });

  it("fetches no signed job without bounds", async () => {
    await deploy({ size: 1n << 40n });
    expect(await leaving()).toMatchObject({ code: "runtime/bad-message" });
  });

  it("says so in good order when what it is told about a task is not JSON", async () => {
    const jobId = await deploy({});
    const model = objectToWire(await models.importBytes(Buffer.from("model")));
    const key = { jobId, round: 0, task: "train", $typeName: "flare.v1.TaskKey" as const };
    await tell({ case: "task", value: { key, model, totalRounds: 1, metaJson: "{", $typeName: "flare.v1.Task" } });
    const failed = await expectHeard("taskFailed");
    expect(JSON.parse(failed.errorJson)).toMatchObject({ code: "runtime/bad-message" });
  });
});

/** Signs a job as the admin, and tells the site to run it. */
async function deploy({ app = "app", size }: { readonly app?: string; readonly size?: bigint }): Promise<string> {
  heard.length = 0;
  const jobId = randomUUID();
  const submitter = await federation.kit(adminName);
  const folder = await readJobFolder(await federation.writeJob(["site-1"]));
  for (const file of folder.files) await models.importFile(file.absolutePath);
  const bytes = createSignedJob({ folder, jobId, project: submitter.project, submitter, nowMs: Date.now() });
  const signedJob = objectToWire(await models.importBytes(bytes));
  await tell({
    case: "deploy",
    value: { jobId, app, signedJob: size === undefined ? signedJob : { ...signedJob, size }, $typeName: "flare.v1.DeployJob" },
  });
  return jobId;
}

async function leaving(): Promise<unknown> {
  return JSON.parse((await expectHeard("jobLeft")).errorJson) as unknown;
}

async function expectHeard(kind: "jobLeft" | "taskFailed"): Promise<{ readonly errorJson: string }> {
  const find = (): { readonly errorJson: string } | undefined =>
    heard.flatMap((message) => (message.case === kind ? [message.value as { readonly errorJson: string }] : [])).at(0);
  await expect.poll(find, { timeout: 10_000 }).toBeDefined();
  return find() ?? { errorJson: "" };
}

/** Everything in a kit but its logs. */
async function listing(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => !/\.(json|log)$|-(wal|shm)$/.test(name)).sort();
}

async function logOf(folder: string): Promise<string> {
  return readFile(join(folder, "log.json"), "utf8");
}
