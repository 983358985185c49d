import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@flare-ts/aggregator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

const python = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import numpy"]).status === 0,
);
const isSkipped = python === undefined && process.env["FLARE_NO_SKIPS"] !== "1";

describe.skipIf(isSkipped)("updates of some tensors, from TypeScript and from Python with NumPy (Debian package python3-numpy)", () => {
  let federation: Federation;
  let folder: string;

  beforeAll(async () => {
    process.env["FLARE_PYTHON"] = python ?? "python3";
    folder = await mkdtemp(join(tmpdir(), "flare-adapters-"));
    federation = await createFederation({ sites: ["site-1", "site-2"] });
    // This site's line is slow: whatever a job says, its updates are small.
    const resources = { format_version: 2, components: [], update_form: "bfloat16" };
    await writeFile(join(federation.kitOf("site-2"), "local", "resources.json"), JSON.stringify(resources));
    await federation.startAll();
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("are averaged over the sites that sent them, and the other tensors stay as they are", async () => {
    const job = await writeJob(join(folder, "job"));
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(job);
    const entries = await followJob(federation, jobId);
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED", reason: "all 2 rounds are done" });
    const { dir, files } = await admin.downloadJob(jobId, join(folder, jobId));
    admin.close();
    const path = join(dir, files.find((file) => file.path.endsWith("FL_global_model.safetensors"))?.path ?? "");
    const tensors = decodeSafetensors(await readFile(path), path);
    // Two rounds. Both sites add to `both`, 1 and 3 with equal weights; one adds 1 to `mine`; nobody sends `frozen`.
    expect(Object.fromEntries([...tensors].map(([name, { data }]) => [name, Array.from(data as Float32Array)]))).toEqual({
      both: [4, 5],
      frozen: [7, 8],
      mine: [2, 3],
    });
    const wires = entries.flatMap(({ event }) =>
      event.type === "update-accepted" ? [[event.site, event.paramsType, event.wire?.form]] : [],
    );
    expect(wires.filter(([site]) => site === "site-1")).toEqual(Array(2).fill(["site-1", "FULL", undefined]));
    expect(wires.filter(([site]) => site === "site-2")).toEqual(Array(2).fill(["site-2", "DIFF", "bfloat16"]));
  });

  async function writeJob(job: string): Promise<string> {
    const json = async (path: string, value: unknown): Promise<void> => {
      await mkdir(join(job, path, ".."), { recursive: true });
      await writeFile(join(job, path), JSON.stringify(value));
    };
    const deploy = { typescript: ["server", "site-1"], python: ["site-2"] };
    await json("meta.json", { name: "adapters", deploy_map: deploy, min_clients: 2 });
    const workflow = { id: "fedavg", path: "FedAvg", args: { num_rounds: 2, initial_model: "initial.safetensors" } };
    await json("typescript/config/config_fed_server.json", { format_version: 2, workflows: [workflow] });
    for (const [app, script] of [
      ["typescript", "train.ts"],
      ["python", "train.py"],
    ] as const) {
      const executor = { path: "ClientAPIExecutor", args: { task_script_path: script } };
      await json(`${app}/config/config_fed_client.json`, { format_version: 2, executors: [{ tasks: ["train"], executor }] });
      await mkdir(join(job, app, "custom"), { recursive: true });
    }
    await writeFile(join(job, "typescript", "custom", "train.ts"), typescriptTrainer);
    await writeFile(join(job, "python", "custom", "train.py"), pythonTrainer);
    const tensor = (...values: number[]) => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) }) as const;
    const model = encodeSafetensors(Object.entries({ both: tensor(0, 1), mine: tensor(0, 1), frozen: tensor(7, 8) }));
    await writeFile(join(job, "typescript", "initial.safetensors"), model);
    return job;
  }
});

const typescriptTrainer = `import * as flare from "@flare-ts/runtime/client";
await flare.init();
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  const { both, mine } = model.params;
  for (const { data } of [both, mine]) for (let i = 0; i < data.length; i++) data[i] += 1;
  await flare.send(new flare.FLModel({ params: { both, mine }, meta: { NUM_STEPS_CURRENT_ROUND: 1 } }));
}
flare.shutdown();
`;

const pythonTrainer = `import flare_client as flare

flare.init()
while flare.is_running():
    model = flare.receive()
    if model is None:
        break
    flare.send(flare.FLModel(params={"both": model.params["both"] + 3}, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
flare.shutdown()
`;
