import { expect, it } from "vitest";
import { foldJournal } from "./fold-journal.js";
import type { JobEvent } from "./job-event.js";
import { closedRounds, namesIn, takesTurns, type WorkflowView } from "./workflow-view.js";

function workflowOf(...sites: readonly (readonly string[])[]): WorkflowView {
  const events = sites.map((of, round): JobEvent => ({ type: "round-opened", round, task: "train", sites: of, totalRounds: 9 }));
  const [workflow] = foldJournal(events.map((event, index) => ({ seq: index + 1, atMs: index, event }))).workflows;
  if (workflow === undefined) throw new Error("there is no workflow");
  return workflow;
}

it("sites take turns where each round is of one, and not always of the same", () => {
  expect(takesTurns(workflowOf(["a"], ["b"], ["a"]))).toBe(true);
  expect(takesTurns(workflowOf(["a"], ["a"]))).toBe(false);
  expect(takesTurns(workflowOf(["a"], ["a", "b"]))).toBe(false);
});

it("knows who takes part, and that nothing has closed", () => {
  const workflow = workflowOf(["b"], ["a"]);
  expect(namesIn(workflow.rounds)).toEqual(["a", "b"]);
  expect(closedRounds(workflow)).toBe(0);
});
