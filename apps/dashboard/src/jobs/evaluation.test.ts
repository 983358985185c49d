import { expect, it } from "vitest";
import { evaluationFaults, evaluationMetrics, evaluationOf, isEvaluation, ownerName } from "./evaluation.js";
import { foldJournal } from "./fold-journal.js";
import type { JobEvent } from "./job-event.js";
import type { WorkflowView } from "./workflow-view.js";

const opened = (round: number, evaluates?: string, sites = ["a", "b"]): JobEvent => ({
  type: "round-opened",
  round,
  task: evaluates === undefined ? "submit_model" : "validate",
  sites,
  totalRounds: 5,
  evaluates,
});
const answered = (round: number, site: string, metrics: Readonly<Record<string, number>>): JobEvent => ({
  type: "update-accepted",
  round,
  site,
  weight: 1,
  metrics,
  update: { size: 8 },
});
const failed = (round: number, site: string): JobEvent => ({
  type: "task-failed",
  round,
  site,
  error: { code: "site/x", message: "it broke" },
});
const closed = (round: number, missing: readonly string[], more: object = {}): JobEvent => ({
  type: "round-closed",
  round,
  contributors: [],
  missing,
  metrics: { accuracy: 0.5 },
  bytes: 8,
  aggregationSeconds: 0,
  ...more,
});

function workflowOf(...events: readonly JobEvent[]): WorkflowView {
  const [workflow] = foldJournal(events.map((event, index) => ({ seq: index + 1, atMs: index, event }))).workflows;
  if (workflow === undefined) throw new Error("there is no workflow");
  return workflow;
}

const handedIn = [opened(0), answered(0, "a", {}), answered(0, "b", {}), closed(0, [], { models: { b: {}, a: {} } })];

it("has a row for each model in the order of their rounds, then those that wait, and a cell for each site", () => {
  const workflow = workflowOf(
    ...handedIn,
    opened(1, "SRV_FL_global_model"),
    answered(1, "b", { accuracy: 0.75, loss: 2 }),
    answered(1, "a", { accuracy: 0.25 }),
    closed(1, []),
    opened(2, "a"),
    answered(2, "b", { loss: 3 }),
  );
  expect(isEvaluation(workflow)).toBe(true);
  expect(evaluationMetrics(workflow)).toEqual(["accuracy", "loss"]);
  const { sites, rows } = evaluationOf(workflow, "accuracy");
  expect(sites).toEqual(["a", "b"]);
  expect(rows.map(({ owner, mean, cells }) => [owner, mean, cells.map(({ state, value }) => value ?? state)])).toEqual([
    ["SRV_FL_global_model", 0.5, [0.25, 0.75]],
    ["a", null, ["working", "answered"]],
    ["b", null, ["waiting", "waiting"]],
  ]);
  expect(evaluationFaults(workflow)).toEqual([]);
});

it("says of each site what it lacks and why, once for all models that it is the same for", () => {
  const workflow = workflowOf(
    opened(0),
    failed(0, "b"),
    answered(0, "a", {}),
    closed(0, ["b"], { models: { a: {} } }),
    opened(1, "SRV_FL_global_model"),
    failed(1, "b"),
    answered(1, "a", { accuracy: 1 }),
    closed(1, ["b"]),
    opened(2, "a"),
    failed(2, "b"),
    closed(2, ["a", "b"]),
  );
  expect(evaluationFaults(workflow)).toEqual([
    "b handed in no model: site/x: it broke",
    "b has no value for global model, a: site/x: it broke",
    "a has no value for a: it did not answer",
  ]);
});

it("a site that had left when a model's turn came was not asked", () => {
  const { rows } = evaluationOf(workflowOf(opened(0, "SRV_FL_global_model"), closed(0, []), opened(1, "a", ["a"])), "accuracy");
  expect(rows[1]?.cells.map(({ state }) => state)).toEqual(["working", "not-asked"]);
});

it("training is no evaluation", () => {
  expect(isEvaluation(workflowOf({ type: "round-opened", round: 0, task: "train", sites: ["a"], totalRounds: 1 }))).toBe(false);
});

it.each([
  ["SRV_FL_global_model", "global model"],
  ["SRV_best_FL_global_model", "best global model"],
  ["SRV_other", "other of the server"],
  ["hospital-a", "hospital-a"],
])("%s is called %s", (owner, name) => expect(ownerName(owner)).toBe(name));
