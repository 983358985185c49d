import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdminSession, JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { writeScriptJob } from "./write-script-job.js";

const sites = ["site-1", "site-2"];
const gibibyte = 2 ** 30;

describe("sites that offer CPUs and memory", () => {
  let federation: Federation;
  let folder: string;
  let admin: AdminSession;

  beforeAll(async () => {
    // What the machine of this test says would reach the trainers.
    for (const name of ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]) vi.stubEnv(name, undefined);
    folder = await mkdtemp(join(tmpdir(), "flare-cpus-"));
    federation = await createFederation({ sites });
    for (const [site, cpus] of Object.entries({ "site-1": 4, "site-2": 6 })) {
      const manager = { id: "resource_manager", args: { num_of_cpus: cpus, memory: "8Gi" } };
      const text = JSON.stringify({ format_version: 2, components: [manager] });
      await writeFile(join(federation.kitOf(site), "local", "resources.json"), text);
    }
    await federation.startAll();
    admin = await federation.admin();
  }, 60_000);

  afterAll(async () => {
    admin.close();
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });

  it("keep for each job what it asks for; who finds too little free waits, says why, also after a kill, and runs when one has left", async () => {
    const first = await admin.submitJob(await writeJob("first", { "@default": { num_of_cpus: 3, memory: "5Gi" } }, { holds: true }));
    await eventually("the first job has its part", async () => (await freeAt("site-1")).freeCpus === 1);
    const second = await admin.submitJob(
      await writeJob("second", { "@default": { num_of_cpus: 2, memory: "2Gi" }, "site-2": { num_of_cpus: 4 } }),
    );
    const passing = await admin.submitJob(await writeJob("passing", {}));
    // It asks for nothing, and nobody tells it how many threads to have.
    expect(threadsIn(await followJob(federation, passing.jobId))).toEqual({ "site-1": 0, "site-2": 0 });
    const why = `waits for 2 of 4 CPUs, behind job ${first.jobId}`;
    await says(why);
    expect(await freeAt("site-1")).toEqual({ cpus: 4, freeCpus: 1, memoryBytes: 8 * gibibyte, freeMemoryBytes: 3 * gibibyte });
    const pid = await eventually("the site runs", () => federation.pidOf("site-1"));
    process.kill(pid, "SIGKILL");
    await eventually("the site is back", () => federation.pidOf("site-1") !== undefined && federation.pidOf("site-1") !== pid);
    await eventually("the first job has its part again", async () => (await freeAt("site-1").catch(() => undefined))?.freeCpus === 1);
    await says(why);
    for (const site of sites) await writeFile(join(federation.kitOf(site), first.jobId, `app_${site}`, "custom", "go"), "");
    expect(threadsIn(await followJob(federation, first.jobId))).toEqual({ "site-1": 3, "site-2": 3 });
    expect(threadsIn(await followJob(federation, second.jobId))).toEqual({ "site-1": 2, "site-2": 4 });
    await eventually("all is free again", async () => (await freeAt("site-1")).freeCpus === 4);
    expect(await readFile(join(federation.kitOf("site-1"), "log.json"), "utf8")).toContain("nothing holds its trainers to them");
  }, 120_000);

  it("leave a job that asks for more than there is, and the others go on", async () => {
    const { jobId } = await admin.submitJob(await writeJob("many", { "@default": { num_of_cpus: 5, memory: "1Gi" } }));
    const entries = await followJob(federation, jobId);
    const left = entries.flatMap(({ event }) => (event.type === "site-left" ? [[event.site, event.error.code, event.error.message]] : []));
    expect(left).toEqual([["site-1", "job/resources-lacking", "The job asks site-1 for 5 CPUs (it offers 4)."]]);
    expect(threadsIn(entries)).toEqual({ "site-2": 5 });
  });

  const says = (text: string) => eventually(text, async () => JSON.stringify(await admin.listJobs()).includes(text));

  async function freeAt(site: string) {
    const [told] = await admin.reportResources("client", { sites: [site] });
    const forJobs = told?.result?.forJobs;
    if (forJobs === undefined || forJobs === null) throw new Error(`${site} tells nothing`);
    return forJobs;
  }

  /** The threads that each site's trainer was told to have. */
  const threadsIn = (entries: readonly JournalEntry[]): Readonly<Record<string, number | undefined>> =>
    Object.fromEntries(entries.flatMap(({ event }) => (event.type === "update-accepted" ? [[event.site, event.metrics["threads"]]] : [])));

  function writeJob(name: string, resourceSpec: object, { holds = false } = {}): Promise<string> {
    return writeScriptJob({
      folder: join(folder, name),
      meta: { name, deploy_map: { app: ["server", ...sites] }, min_clients: 1, resource_spec: resourceSpec },
      workflow: { num_rounds: 1 },
      executor: { task_script_args: [String(holds)], stop_grace_period: 0.1 },
      script: trainer,
      model: { w: { dtype: "F32", shape: [1], data: Float32Array.of(1) } },
    });
  }
});

const trainer = `import { existsSync } from "node:fs";
import * as flare from "@flare-ts/runtime/client";
await flare.init();
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  while (process.argv[2] === "true" && !existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 20));
  const threads = Number(process.env.OMP_NUM_THREADS ?? "0");
  await flare.send(new flare.FLModel({ params: model.params, metrics: { threads }, meta: { NUM_STEPS_CURRENT_ROUND: 1 } }));
}
flare.shutdown();
`;
