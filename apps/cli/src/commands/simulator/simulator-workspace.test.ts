import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandContext } from "../../command-line/command-context.js";
import { makeRoom, refuseNested, type SimulationRecord, writeRecord } from "./simulator-workspace.js";

const record: SimulationRecord = {
  schema_version: "1",
  job: "first",
  started_ms: 0,
  server: "server",
  clients: ["site-1", "site-2"],
  admin: "admin@nvidia.com",
};

describe("the workspace of a simulation", () => {
  let folder: string;
  let told: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-simulator-"));
    told = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const makeRoomFor = (clients: readonly string[]): Promise<void> => {
    const context: Pick<CommandContext, "report"> = { report: (_event, text) => told.push(text) };
    return makeRoom(context, folder, { ...record, clients });
  };

  it("is taken as it is when it is empty", async () => {
    await makeRoomFor(["site-1"]);
    expect(told).toEqual([]);
  });

  it("is not taken from files of others", async () => {
    await writeFile(join(folder, "thesis.txt"), "the only copy");
    await expect(makeRoomFor(["site-1"])).rejects.toMatchObject({ code: "simulator/foreign-folder" });
    expect(await readdir(folder)).toEqual(["thesis.txt"]);
  });

  it("loses what an earlier run has made, and nothing that a person has put there", async () => {
    await writeRecord(folder, record);
    for (const name of ["server", "site-1", "site-2", "admin@nvidia.com", ".simulator", "plots"])
      await mkdir(join(folder, name, "in"), { recursive: true });
    await makeRoomFor(["site-1"]);
    expect(await readdir(folder)).toEqual(["plots"]);
    expect(told).toEqual([`Replaces the run of job first of 1970-01-01 00:00:00Z in ${folder}.`]);
  });

  it("loses also a training script whose site was killed", async () => {
    await writeRecord(folder, record);
    const bootstrap = join(folder, "site-1", "job", "client_api_0", "bootstrap.json");
    const script = spawn("sleep", ["600"], { env: { ...process.env, FLARE_CLIENT_API_BOOTSTRAP: bootstrap } });
    const ended = once(script, "exit");
    await makeRoomFor(["site-1"]);
    expect(await ended).toEqual([null, "SIGKILL"]);
  });

  it("stays whole when a folder of a person has the name of a site to come", async () => {
    await writeRecord(folder, record);
    for (const name of ["site-1", "site-3"]) await mkdir(join(folder, name));
    await expect(makeRoomFor(["site-1", "site-2", "site-3"])).rejects.toMatchObject({
      code: "simulator/foreign-folder",
      message: expect.stringContaining("did not make: site-3") as string,
    });
    expect((await readdir(folder)).toSorted()).toEqual([".simulator.json", "site-1", "site-3"]);
  });

  it.each(["../../etc", "..", "a/b", ""])("is not emptied by a record that names '%s'", async (name) => {
    await writeFile(join(folder, ".simulator.json"), JSON.stringify({ ...record, clients: [name] }));
    await expect(makeRoomFor(["site-1"])).rejects.toMatchObject({ code: "simulator/foreign-folder" });
    expect(await readdir(folder)).toEqual([".simulator.json"]);
  });

  it("lies beside the job's folder, by whatever way it is named", async () => {
    const job = join(folder, "job");
    await mkdir(job);
    await symlink(job, join(folder, "link"));
    await refuseNested(join(folder, "workspace"), job);
    await refuseNested(join(folder, "job-2"), job);
    for (const workspace of [job, join(job, "new", "workspace"), join(folder, "link", "workspace"), folder]) {
      await expect(refuseNested(workspace, join(folder, "link"))).rejects.toMatchObject({ code: "cli/invalid-arguments" });
    }
  });
});
