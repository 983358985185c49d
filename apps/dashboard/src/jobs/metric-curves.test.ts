import { expect, it } from "vitest";
import { foldJournal } from "./fold-journal.js";
import type { JobEvent } from "./job-event.js";
import { metricCurves } from "./metric-curves.js";

interface Held {
  readonly round: number;
  readonly losses: Readonly<Record<string, number>>;
  readonly opened?: Partial<Extract<JobEvent, { type: "round-opened" }>>;
}

function curvesOf(...held: readonly Held[]) {
  const events = held.flatMap(({ round, losses, opened }): readonly JobEvent[] => [
    { type: "round-opened", round, task: "train", sites: ["a", "b"], totalRounds: 3, ...opened },
    ...Object.entries(losses).map(
      ([site, loss]): JobEvent => ({ type: "update-accepted", round, site, weight: 1, metrics: { loss }, update: { size: 5 } }),
    ),
    {
      type: "round-closed",
      round,
      contributors: Object.keys(losses),
      missing: [],
      metrics: { loss: Math.max(...Object.values(losses)) },
      bytes: 5,
      aggregationSeconds: 0,
    },
  ]);
  return metricCurves(foldJournal(events.map((event, index) => ({ seq: index + 1, atMs: index, event }))).workflows);
}

it("gives the curves of a metric by site and for all, with gaps where a site had no value", () => {
  expect(curvesOf({ round: 0, losses: { a: 2 } }, { round: 1, losses: { b: 1 } })).toEqual([
    {
      workflow: "",
      areTurns: false,
      metric: "loss",
      x: [1, 2],
      curves: [
        { name: "global", values: [2, 1] },
        { name: "a", values: [2, null] },
        { name: "b", values: [null, 1] },
      ],
    },
  ]);
});

it("has nothing of rounds in which sites hand in models or measure them", () => {
  const measure = { workflow: "measure", task: "validate", evaluates: "a" };
  const curves = curvesOf(
    { round: 0, losses: { a: 2 }, opened: { workflow: "train" } },
    { round: 1, losses: { a: 77 }, opened: { workflow: "measure", task: "submit_model" } },
    { round: 2, losses: { a: 99 }, opened: measure },
  );
  expect(curves.map(({ workflow, x }) => [workflow, x])).toEqual([["", [1]]]);
});

it("keeps workflows that train apart, each with rounds from 1", () => {
  const curves = curvesOf(
    { round: 0, losses: { a: 2 }, opened: { workflow: "first" } },
    { round: 1, losses: { a: 1 }, opened: { workflow: "second", sites: ["a"] } },
    { round: 2, losses: { b: 1 }, opened: { workflow: "second", sites: ["b"] } },
  );
  expect(curves.map(({ workflow, areTurns, x }) => [workflow, areTurns, x])).toEqual([
    ["first", false, [1]],
    ["second", true, [1, 2]],
  ]);
});
