import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors } from "@flare-ts/aggregator";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf } from "./process-tree.js";
import { writeScriptJob } from "./write-script-job.js";

const sites = ["site-1", "site-2", "site-3"];
let federation: Federation;
let folder: string;
let job: string;
let undisturbed: readonly JournalEntry[];

/**
 * Adds the site's number, hands in the model with a hundred times that added, and measures the first parameter. The submission and the first
 * evaluation, which are rounds 0 and 1 to it, wait until the test lets them go.
 */
const script = `import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as flare from "@flare-ts/runtime/client";

await flare.init();
const number = Number(flare.getSiteName().slice(-1));
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  const tensor = model.params.weight;
  const plus = (value) => ({ weight: { ...tensor, data: tensor.data.map((x) => x + value) } });
  if (!flare.isTrain() && model.currentRound < 2) while (!existsSync("go-" + model.currentRound)) await sleep(20);
  if (flare.isTrain()) await flare.send({ params: plus(number), meta: { NUM_STEPS_CURRENT_ROUND: 1 } });
  else if (flare.isSubmitModel()) await flare.send({ params: plus(100 * number), meta: { NUM_STEPS_CURRENT_ROUND: 1 } });
  else await flare.send({ metrics: { first: tensor.data[0] } });
}
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-workflows-"));
  federation = await createFederation({ sites });
  await federation.startAll();
  job = await writeScriptJob({
    folder: join(folder, "job"),
    meta: { name: "workflows", deploy_map: { app: ["@ALL"] }, min_clients: 3 },
    workflow: { num_rounds: 2 },
    more: [
      { id: "cycle", path: "nvflare.app_common.workflows.cyclic_ctl.CyclicController", args: { num_rounds: 1 } },
      { id: "evaluation", path: "nvflare.app_common.workflows.cross_site_model_eval.CrossSiteModelEval" },
    ],
    tasks: ["train", "submit_model", "validate"],
    script,
    model: { weight: { dtype: "F32", shape: [2], data: Float32Array.from([1, 2]) } },
  });
  undisturbed = await runJob();
});

afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("a job that trains, hands the model round, and has every model evaluated at every site", () => {
  it("gives the model of the last training, and what each site has measured", async () => {
    const ended = undisturbed.flatMap(({ event }) => (event.type === "workflow-ended" ? [event.reason] : []));
    expect(ended).toEqual(["all 2 rounds are done", "all 1 rounds are done", "4 models evaluated"]);
    // Twice the mean of 1, 2 and 3, then one after the other.
    const first = 1 + 2 * 2 + 6;
    const all = (value: number): object => Object.fromEntries(sites.map((site) => [site, { first: value }]));
    expect(evaluationsIn(undisturbed)).toEqual({
      SRV_FL_global_model: all(first),
      "site-1": all(first + 100),
      "site-2": all(first + 200),
      "site-3": all(first + 300),
    });
    const admin = await federation.admin();
    const { dir } = await admin.downloadJob(undisturbed[0]?.jobId ?? "", folder);
    admin.close();
    const found = JSON.parse(await readFile(join(dir, "cross_site_val", "cross_val_results.json"), "utf8")) as object;
    const ownModels = { "site-1": { first: first + 100 }, "site-2": { first: first + 200 }, "site-3": { first: first + 300 } };
    const row = { SRV_FL_global_model: { first }, ...ownModels };
    expect(found).toEqual({ "site-1": row, "site-2": row, "site-3": row });
    const path = join(dir, "models", "FL_global_model.safetensors");
    expect([...((decodeSafetensors(await readFile(path), path).get("weight")?.data ?? []) as Float32Array)]).toEqual([first, first + 1]);
  });

  it.each<[string, "submit_model" | "validate", () => number | undefined]>([
    ["the server's parent process while models are handed in", "submit_model", () => federation.pidOf("server")],
    ["the server's job process while models are evaluated", "validate", () => jobProcessOf("server", "server-job-main")],
    ["a site's parent process while models are evaluated", "validate", () => federation.pidOf("site-2")],
  ])("comes to the same when %s is killed", async (_what, task, findPid) => {
    let isKilled = false;
    const entries = await runJob(async (opened) => {
      if (opened.task !== task) return;
      isKilled = true;
      process.kill(await eventually("the victim runs", findPid), "SIGKILL");
    });
    expect(isKilled).toBe(true);
    expect(evaluationsIn(entries)).toEqual(evaluationsIn(undisturbed));
    expect(modelsIn(entries)).toEqual(modelsIn(undisturbed));
  });
});

/** @param onHeld - told of the submission and of the first evaluation before the sites go on with it */
async function runJob(
  onHeld: (opened: { readonly task: string }) => Promise<void> = () => Promise.resolve(),
): Promise<readonly JournalEntry[]> {
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(job);
  admin.close();
  const entries = await followJob(federation, jobId, async ({ event }) => {
    if (event.type !== "round-opened") return;
    const held = heldRounds.indexOf(`${event.task} ${event.evaluates ?? ""}`);
    if (held === -1) return;
    await onHeld(event);
    for (const site of sites) await letGo(federation, jobId, site, held);
  });
  const failures = entries.map(({ event }) => event).filter(({ type }) => type === "task-failed" || type === "site-left");
  expect({ ...entries.at(-1)?.event, failures }).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED", failures: [] });
  return entries;
}

const heldRounds = ["submit_model ", "validate SRV_FL_global_model"];

function jobProcessOf(name: string, program: string): number | undefined {
  const parent = federation.pidOf(name);
  return parent === undefined ? undefined : descendantsOf(parent).find((entry) => entry.commandLine.includes(program))?.pid;
}

/** What each site has measured of each model. */
function evaluationsIn(entries: readonly JournalEntry[]): object {
  const results: Record<string, Record<string, object>> = {};
  const owners = new Map(
    entries.flatMap(({ event }) =>
      event.type === "round-opened" && event.evaluates !== undefined ? [[event.round, event.evaluates]] : [],
    ),
  );
  for (const { event } of entries) {
    const owner = event.type === "update-accepted" ? owners.get(event.round) : undefined;
    if (event.type === "update-accepted" && owner !== undefined) results[owner] = { ...results[owner], [event.site]: event.metrics };
  }
  return results;
}

/** The models that rounds began with. */
function modelsIn(entries: readonly JournalEntry[]): readonly string[] {
  return entries.flatMap(({ event }) => (event.type === "round-opened" ? [event.model.hash] : []));
}
