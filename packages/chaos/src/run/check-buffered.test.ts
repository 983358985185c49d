import type { JobEvent } from "@flare-ts/runtime/admin";
import { describe, expect, it } from "vitest";
import { bufferedWork } from "./check-buffered.js";
import type { DeliveredUpdate } from "./read-delivered.js";
import type { RemadeModels } from "./remake-models.js";
import type { RunResult } from "./run-job.js";

const model = { hash: "a".repeat(64) as never, size: 4 };
const remade: RemadeModels = { updates: 4, models: 2, last: "1", problems: [] };

type Named = readonly [site: string, round: number];

function opened(round: number, sites: readonly string[]): JobEvent {
  return { type: "round-opened", round, task: "train", model, sites, totalRounds: 2, buffered: { oldestBase: 0, updates: 2 } };
}

function assigned(round: number, site: string): JobEvent {
  return { type: "task-assigned", round, task: "train", model, sites: [site] };
}

function accepted(site: string, round: number): JobEvent {
  return { type: "update-accepted", round, task: "train", site, update: model, paramsType: "FULL", weight: 1, metrics: {}, meta: {} };
}

function closed(round: number, ...named: readonly Named[]): JobEvent {
  const updates = named.map(([site, base]) => ({ site, round: base }));
  const contributors = [...new Set(updates.map(({ site }) => site))];
  return { type: "round-closed", round, contributors, missing: [], model, metrics: {}, bytes: 8, aggregationSeconds: 0, updates };
}

/** Site-3 takes two models for its first update; what it makes of the last comes too late. */
const good: readonly JobEvent[] = [
  opened(0, ["site-1", "site-2", "site-3"]),
  accepted("site-1", 0),
  accepted("site-2", 0),
  closed(0, ["site-1", 0], ["site-2", 0]),
  opened(1, ["site-1", "site-2"]),
  accepted("site-2", 1),
  accepted("site-3", 0),
  assigned(1, "site-3"),
  accepted("site-1", 1),
  closed(1, ["site-2", 1], ["site-3", 0]),
  { type: "workflow-ended", model, reason: "done" },
  { type: "job-ended", status: "FINISHED:COMPLETED", reason: "done" },
];

const told: readonly DeliveredUpdate[] = [
  { site: "site-1", round: 0, outcome: "duplicate" },
  { site: "site-3", round: 0, outcome: "accepted" },
  { site: "site-3", round: 1, outcome: "late" },
];

function run(events: readonly JobEvent[], delivered = told, result = "1"): Pick<RunResult, "journal" | "results" | "delivered"> {
  const journal = events.map((event, index) => ({ jobId: "job", seq: index + 1, atMs: 0, event }));
  return { journal, results: { "models/FL_global_model.safetensors": result }, delivered };
}

function bad(what: ReturnType<typeof run>, made = remade): readonly string[] {
  return bufferedWork(what, made).flatMap(({ name, isGood, detail }) => (isGood ? [] : [`${name}: ${detail}`]));
}

function without(event: JobEvent): readonly JobEvent[] {
  return good.filter((other) => JSON.stringify(other) !== JSON.stringify(event));
}

function instead(event: JobEvent, other: JobEvent): readonly JobEvent[] {
  return good.map((each) => (JSON.stringify(each) === JSON.stringify(event) ? other : each));
}

const bytes = "the models have the bytes that follow from the journal";
const turn = "each update was counted once, in the order in which they came";
const lost = "no update that was acknowledged is lost";
const last = closed(1, ["site-2", 1], ["site-3", 0]);

describe("an asynchronous job that faults have disturbed", () => {
  it("is good when its journal agrees with its models and with what its sites were told, whatever came too late for the last model", () => {
    expect(bad(run(good))).toEqual([]);
    expect(bufferedWork(run(good), remade).map(({ detail }) => detail)).toEqual([
      "2 models of 4 updates, made anew; the last is 1",
      "4 updates; 1 more came when the last model was being made",
      "sites know of 2 that were",
    ]);
  });

  it.each<[string, string, readonly string[]]>([
    ["the result is another model", bytes, bad(run(good, told, "2"))],
    ["there is no result", bytes, bad({ ...run(good), results: {} })],
    ["a model differs from what the journal leads to", bytes, bad(run(good), { ...remade, problems: ["the model made in round 1"] })],
    ["no model was made", bytes, bad(run(good), { ...remade, models: 0 })],
    ["an update is in two models", turn, bad(run(instead(last, closed(1, ["site-2", 1], ["site-2", 0]))))],
    ["an update is twice in a model", turn, bad(run(instead(last, closed(1, ["site-2", 1], ["site-2", 1]))))],
    ["an update was passed over", turn, bad(run(instead(last, closed(1, ["site-2", 1], ["site-1", 1]))))],
    ["a model is of fewer updates than it should be", turn, bad(run(instead(last, closed(1, ["site-2", 1]))))],
    ["an update was accepted twice", turn, bad(run([...good.slice(0, 2), ...good.slice(1)]))],
    ["a model is of an update that the journal does not have", turn, bad(run(without(accepted("site-3", 0))))],
    ["the journal has a gap", turn, bad({ ...run(good), journal: run(good).journal.slice(1) })],
    ["an update that was acknowledged is not in the journal", lost, bad(run(without(accepted("site-3", 0))))],
    ["a site was given another model though it had handed in nothing", lost, bad(run(without(accepted("site-2", 0))))],
    [
      "an update came too late though its site had more to do",
      lost,
      bad(run(good, [...told, { site: "site-3", round: 7, outcome: "late" }])),
    ],
    ["no site knows to have handed in anything", lost, bad(run(good, []))],
  ])("is not good when %s", (_what, name, found) => {
    expect(found).toContainEqual(expect.stringContaining(`${name}: `));
  });
});
