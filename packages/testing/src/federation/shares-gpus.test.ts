import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { writeScriptJob } from "./write-script-job.js";

const sites = ["site-1", "site-2"];

describe("sites with GPUs, which nothing here computes on", () => {
  let federation: Federation;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-gpus-"));
    federation = await createFederation({ sites });
    for (const [site, gpus] of Object.entries({ "site-1": 2, "site-2": 3 })) {
      const manager = { id: "resource_manager", args: { num_of_gpus: gpus, mem_per_gpu_in_GiB: 16 } };
      await writeFile(
        join(federation.kitOf(site), "local", "resources.json"),
        JSON.stringify({ format_version: 2, components: [manager] }),
      );
    }
    await federation.startAll();
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("give each job GPUs of its own; who finds none free waits, says why, and runs when one has left", async () => {
    const admin = await federation.admin();
    const spec = { "@default": { num_of_gpus: 2, mem_per_gpu_in_GiB: 8 } };
    const first = await admin.submitJob(await writeJob("first", spec, { holds: true }));
    await eventually("the first job runs", async () => (await admin.status()).runningJobs.includes(first.jobId));
    const second = await admin.submitJob(await writeJob("second", { ...spec, "site-1": { num_of_gpus: 1 } }));
    const none = await admin.submitJob(await writeJob("none", {}));
    // It asks for none, and passes by with what its own environment says.
    expect(devicesIn(await followJob(federation, none.jobId))).toEqual({ "site-1": 7, "site-2": 7 });
    await eventually("the second job says what it waits for", async () =>
      JSON.stringify(await admin.listJobs()).includes(`GPUs, behind job ${first.jobId}`),
    );
    for (const site of sites) await writeFile(join(federation.kitOf(site), first.jobId, `app_${site}`, "custom", "go"), "");
    expect(devicesIn(await followJob(federation, first.jobId))).toEqual({ "site-1": 1, "site-2": 1 });
    expect(devicesIn(await followJob(federation, second.jobId))).toEqual({ "site-1": 0, "site-2": 1 });
    admin.close();
  });

  it("leave a job that asks for more than there is, and the others go on", async () => {
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(await writeJob("many", { "@default": { num_of_gpus: 3 } }));
    const entries = await followJob(federation, jobId);
    admin.close();
    expect(entries.flatMap(({ event }) => (event.type === "site-left" ? [[event.site, event.error.code]] : []))).toEqual([
      ["site-1", "job/resources-lacking"],
    ]);
    expect(devicesIn(entries)).toEqual({ "site-2": 12 });
  });

  it("have them again when a job is aborted that had or awaited them, also after a kill", async () => {
    const admin = await federation.admin();
    const spec = { "@default": { num_of_gpus: 2 } };
    const [holder, waiter, last] = [
      await admin.submitJob(await writeJob("holder", spec, { holds: true })),
      await admin.submitJob(await writeJob("waiter", spec, { holds: true })),
      await admin.submitJob(await writeJob("last", spec)),
    ];
    const says = (text: string) => eventually(text, async () => JSON.stringify(await admin.listJobs()).includes(text));
    await says(`behind job ${holder.jobId}, ${waiter.jobId}`);
    await admin.abortJob(waiter.jobId, "a test");
    await says(`GPUs, behind job ${holder.jobId}"`);
    const pid = await eventually("the site runs", () => federation.pidOf("site-1"));
    process.kill(pid, "SIGKILL");
    await eventually("the site is back", () => federation.pidOf("site-1") !== undefined && federation.pidOf("site-1") !== pid);
    await says(`GPUs, behind job ${holder.jobId}"`);
    await admin.abortJob(holder.jobId, "a test");
    expect(devicesIn(await followJob(federation, last.jobId))).toEqual({ "site-1": 1, "site-2": 1 });
    admin.close();
  });

  /** What each site's trainer saw. */
  const devicesIn = (entries: readonly JournalEntry[]): Readonly<Record<string, number | undefined>> =>
    Object.fromEntries(entries.flatMap(({ event }) => (event.type === "update-accepted" ? [[event.site, event.metrics["devices"]]] : [])));

  function writeJob(name: string, resourceSpec: object, { holds = false } = {}): Promise<string> {
    return writeScriptJob({
      folder: join(folder, name),
      meta: { name, deploy_map: { app: ["server", ...sites] }, min_clients: 1, resource_spec: resourceSpec },
      workflow: { num_rounds: 1 },
      // Its environment does not get it other GPUs than those that it asked for.
      executor: { task_script_args: [String(holds)], stop_grace_period: 0.1, env: { CUDA_VISIBLE_DEVICES: "7" } },
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
  const devices = Number((process.env.CUDA_VISIBLE_DEVICES ?? "-1").replaceAll(",", ""));
  await flare.send(new flare.FLModel({ params: model.params, metrics: { devices }, meta: { NUM_STEPS_CURRENT_ROUND: 1 } }));
}
flare.shutdown();
`;
