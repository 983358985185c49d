import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announceScale, createEngine, decodeSafetensors, differenceUpdate, encodeSafetensors, fedAvg } from "@flare-ts/aggregator";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

const sites = ["site-1", "site-2", "site-3"];
const rounds = 2;
const parameters = 500;
const maxWeight = 1000;

describe("three sites whose updates the server adds and does not read", () => {
  let federation: Federation;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-masked-"));
    federation = await createFederation({ sites });
    await federation.startAll();
  }, 60_000);

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("make the very model of the same updates in the clear", async () => {
    const entries = await run("undisturbed");
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    expect(modelsOf(entries)).toEqual(await modelsInTheClear(sites));
  }, 60_000);

  async function run(name: string, onEntry: (entry: JournalEntry) => Promise<void> = () => Promise.resolve()): Promise<JournalEntry[]> {
    const job = join(folder, name);
    await writeAddOneJob({
      folder: job,
      rounds,
      parameters,
      addsOwnNumber: true,
      minClients: 3,
      meta: { secure_aggregation: { min_sites: 3, max_weight: maxWeight } },
      args: { min_clients: 3 },
    });
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(job);
    admin.close();
    return followJob(federation, jobId, onEntry);
  }

  /** Hashes of the models of all rounds, made of the updates as the trainers make them. */
  async function modelsInTheClear(of: readonly string[]): Promise<string[]> {
    const hashes: string[] = [];
    let model = join(folder, "undisturbed", "app", "initial_model.safetensors");
    for (let round = 0; round < rounds; round++) {
      const scale = await announceScale({ model, maxWeight });
      const { engine } = await createEngine({ nowMs: () => performance.now() }, { engine: "js" });
      const session = await engine.open({ model, strategy: fedAvg(), paramsType: "DIFF", scale });
      for (const site of of) {
        const base = decodeSafetensors(await readFile(model), model).get("weight")?.data as Float32Array;
        const data = base.map((value) => value + Number(site.at(-1)));
        const trained = join(folder, `${site}.safetensors`);
        const source = join(folder, `${site}-${round}.safetensors`);
        await writeFile(trained, encodeSafetensors([["weight", { dtype: "F32", shape: [parameters], data }]]));
        await differenceUpdate({ source: trained, base: model, outPath: source });
        await session.add({ contributor: site, source, weight: 10 + site.length + Number(site.at(-1)), paramsType: "DIFF" });
      }
      const outPath = join(folder, `model-${round}.safetensors`);
      await session.finish({ outPath, base: model });
      hashes.push(createHash("sha256").update(await readFile(outPath)).digest("hex"));
      model = outPath;
    }
    return hashes;
  }
});

function modelsOf(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap(({ event }) => (event.type === "round-closed" ? [event.model.hash] : []));
}
