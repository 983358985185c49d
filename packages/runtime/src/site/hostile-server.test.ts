import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { objectToWire } from "../transport/wire-values.js";
import { HostileServer } from "./hostile-server.test-support.js";
import { type RunningSite, startSite } from "./start-site.js";

let federation: SmallFederation;
let server: HostileServer;
let site: RunningSite;

beforeAll(async () => {
  federation = await createSmallFederation();
  server = await HostileServer.start(federation);
  site = await startSite({ kitDir: federation.kitDir("site-1") });
});

afterAll(async () => {
  await site.stop();
  await server.stop();
  await federation.dispose();
});

describe("a site whose server is hostile", () => {
  it("takes no name of a folder from it", async () => {
    const kitDir = federation.kitDir("site-1");
    const before = await listing(kitDir);
    const signedJob = { hash: "a".repeat(64), size: 10n, $typeName: "flare.v1.ObjectRef" as const };
    const ids = ["..", "../..", "../../startup", "", ".", "startup", "/etc", "a/b", "\0"];
    for (const jobId of ids) {
      await server.tell({ case: "deploy", value: { jobId, app: "app", signedJob, $typeName: "flare.v1.DeployJob" } });
      await server.tell({ case: "endJob", value: { jobId, status: "FINISHED:ABORTED", reason: "", $typeName: "flare.v1.EndJob" } });
    }
    const jobs = ids.map((jobId) => ({ jobId, app: "app", signedJob, $typeName: "flare.v1.DeployJob" as const }));
    await server.tell({ case: "desired", value: { jobs, tasks: [], $typeName: "flare.v1.DesiredState" } });
    await expect.poll(async () => (await logOf(kitDir)).split("that is not a job id").length - 1).toBe(2 * ids.length);
    expect(await listing(kitDir)).toEqual(before);
  });

  it.each(["other", "app/custom", "", "../app"])("runs no other app than the signed deploy_map gives it, as here '%s'", async (app) => {
    await server.deploy({ app });
    expect(await server.leaving()).toMatchObject({ code: "job/wrong-app" });
  });

  it("fetches no signed job without bounds", async () => {
    await server.deploy({ size: 1n << 40n });
    expect(await server.leaving()).toMatchObject({ code: "runtime/bad-message" });
  });

  it("says so in good order when what it is told about a task is not JSON", async () => {
    const jobId = await server.deploy({});
    const model = objectToWire(await server.models.importBytes(Buffer.from("model")));
    const key = { jobId, round: 0, task: "train", $typeName: "flare.v1.TaskKey" as const };
    await server.tell({ case: "task", value: { key, model, totalRounds: 1, metaJson: "{", $typeName: "flare.v1.Task" } });
    const failed = await server.expectHeard("taskFailed");
    expect(JSON.parse(failed.errorJson)).toMatchObject({ code: "runtime/bad-message" });
  });
});

/** Everything in a kit but its logs. */
async function listing(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => !/\.(json|log)$|-(wal|shm)$/.test(name)).sort();
}

async function logOf(folder: string): Promise<string> {
  return readFile(join(folder, "log.json"), "utf8");
}
