import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors, fedBuff } from "@flare-ts/aggregator";
import type { JobEvent } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainedSteps, trainedValues } from "../job/trained-values.js";
import { fedBuffSettings, initialModelOf, writeChaosJob } from "../job/write-chaos-job.js";
import { type RemadeModels, remakeModels } from "./remake-models.js";

/** Which updates are in which model. The ages are such that their factors are powers of two, so that float64 has every sum exactly. */
const models: readonly (readonly (readonly [site: string, round: number])[])[] = [
  [
    ["site-1", 0],
    ["site-2", 0],
  ],
  [
    ["site-2", 1],
    ["site-1", 1],
  ],
  [
    ["site-1", 2],
    ["site-2", 2],
  ],
  [
    ["site-3", 0],
    ["site-2", 3],
  ],
];

let folder: string;
let job: string;
let journal: readonly JobEvent[];
let last: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-remade-"));
  job = join(folder, "job");
  await writeChaosJob({ folder: job, rounds: models.length, sites: 3, parameters: 1000, trainMs: 0, course: "async" });
  ({ journal, last } = await slowJournal());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("models that are made anew from the journal of an asynchronous job", () => {
  it("have the bytes that FedBuff's formula gives, and leave no file", async () => {
    expect(await remade(journal)).toEqual({ updates: 8, models: 4, last, problems: [] });
    expect(await readdir(folder)).toEqual(["job"]);
  });

  it.each<[string, (event: JobEvent) => JobEvent, string]>([
    [
      "an update is not what its trainer makes",
      (event) => (isUpdate(event, "site-2", 1) ? { ...event, update: { ...event.update, hash: "0".repeat(64) as never } } : event),
      "the update of site-2 in round 1 is 000000000000, not ",
    ],
    [
      "an update is of another weight than its trainer says",
      (event) => (isUpdate(event, "site-2", 1) ? { ...event, weight: 1 } : event),
      "site-2 sent FULL of weight 1",
    ],
    [
      "an update was made from another model",
      (event) => (isUpdate(event, "site-3", 0) ? { ...event, round: 1 } : event),
      "the update of site-3 in round 1 is ",
    ],
    [
      "a model lacks an update",
      (event) => (event.type === "round-closed" ? { ...event, updates: event.updates?.slice(0, 1) ?? [] } : event),
      "the model made in round 0 is ",
    ],
    [
      "a model is of an update that never came",
      (event) => (event.type === "round-closed" ? { ...event, updates: [{ site: "site-4", round: 0 }] } : event),
      "the model made in round 0 is of updates that the journal does not have: site-4 in round 0",
    ],
    [
      "a round began with another model than the newest",
      (event) => (event.type === "round-opened" && event.round === 2 ? { ...event, model: journalModel(0) } : event),
      "the model of round 2 is ",
    ],
    [
      "the workflow ended with another model than the newest",
      (event) => (event.type === "workflow-ended" ? { ...event, model: journalModel(0) } : event),
      "the model that the workflow ended with is ",
    ],
  ])("differ when %s", async (_what, change, problem) => {
    expect((await remade(journal.map(change))).problems).toEqual([expect.stringContaining(problem)]);
  });
});

function remade(events: readonly JobEvent[]): Promise<RemadeModels> {
  return remakeModels({
    journal: events.map((event, index) => ({ jobId: "job", seq: index + 1, atMs: 0, event })),
    initialModel: initialModelOf(job),
    strategy: fedBuff(fedBuffSettings),
    folder: join(folder, "remade"),
    signal: AbortSignal.timeout(30_000),
  });
}

function isUpdate(event: JobEvent, site: string, round: number): event is Extract<JobEvent, { type: "update-accepted" }> {
  return event.type === "update-accepted" && event.site === site && event.round === round;
}

function journalModel(round: number): Extract<JobEvent, { type: "round-opened" }>["model"] {
  const opened = journal.find((event) => event.type === "round-opened" && event.round === round);
  if (opened?.type !== "round-opened") throw new Error(`no round ${round}`);
  return opened.model;
}

/** The journal of a job with these models, by FedBuff's formula for one element after another. */
async function slowJournal(): Promise<{ readonly journal: readonly JobEvent[]; readonly last: string }> {
  const read = decodeSafetensors(await readFile(initialModelOf(job))).get("weight");
  const made = [read?.data as Float32Array<ArrayBuffer>];
  const events: JobEvent[] = [];
  const open = (round: number): void => {
    const buffered = { oldestBase: 0, updates: 2 };
    events.push({ type: "round-opened", round, task: "train", model: refOf(made[round]), sites: [], totalRounds: models.length, buffered });
  };
  for (const [round, named] of models.entries()) {
    open(round);
    const newest = made[round] ?? new Float32Array();
    const deltas = named.map(([site, base]) => {
      const before = made[base] ?? new Float32Array();
      const after = trainedValues(before, site, base);
      const answer = { update: refOf(after), paramsType: "FULL", weight: trainedSteps(site), metrics: {}, meta: {} } as const;
      events.push({ type: "update-accepted", round: base, task: "train", site, ...answer });
      return after.map((value, i) => value - (before[i] ?? 0)).map((delta) => delta / Math.sqrt(1 + round - base));
    });
    const { learningRate } = fedBuffSettings;
    const next = newest.map((x, i) => x + (learningRate * deltas.reduce((sum, delta) => sum + (delta[i] ?? 0), 0)) / deltas.length);
    made.push(next);
    const updates = named.map(([site, base]) => ({ site, round: base })).sort((a, b) => (a.site < b.site ? -1 : 1));
    const counts = { contributors: updates.map(({ site }) => site), missing: [], metrics: {}, bytes: 0, aggregationSeconds: 0 };
    events.push({ type: "round-closed", round, ...counts, model: refOf(next), updates });
  }
  const model = refOf(made.at(-1));
  events.push({ type: "workflow-ended", model, reason: "done" });
  return { journal: events, last: model.hash };
}

function refOf(data = new Float32Array()): Extract<JobEvent, { type: "round-opened" }>["model"] {
  const bytes = encodeSafetensors([["weight", { dtype: "F32", shape: [data.length], data }]]);
  return { hash: createHash("sha256").update(bytes).digest("hex") as never, size: bytes.byteLength };
}
