import { expect, it } from "vitest";
import type { JobEvent } from "../job/job-event.js";
import { leftOf, objectNumber, updateOf } from "../workflow/round-plan.test-support.js";
import { JobNeeds } from "./job-needs.js";

it("a job needs what its strategy keeps until the next round has closed, and nothing of it at its end", () => {
  const needs = new JobNeeds({ files: [] });
  const held = (...numbers: readonly number[]): boolean[] => numbers.map((number) => needs.hashes().includes(objectNumber(number).hash));
  needs.note(closed(0, 10, { m: objectNumber(20), v: objectNumber(21) }));
  expect(held(10, 20, 21)).toEqual([true, true, true]);
  expect(needs.note({ type: "round-opened", round: 1, task: "train", model: objectNumber(10), sites: ["a"], totalRounds: 2 })).toBe("less");
  expect(held(10, 20, 21)).toEqual([true, true, true]);
  needs.note(closed(1, 11, { m: objectNumber(22), v: objectNumber(23) }));
  expect(held(11, 20, 21, 22, 23)).toEqual([true, false, false, true, true]);
  needs.end();
  expect(held(11, 22, 23)).toEqual([true, false, false]);
});

it("a job needs the model of the round before while sites fetch that of this one, and no longer", () => {
  const needs = new JobNeeds({ files: [] });
  const held = (...numbers: readonly number[]): boolean[] => numbers.map((number) => needs.hashes().includes(objectNumber(number).hash));
  const opened = (round: number, model: number): JobEvent => ({
    type: "round-opened",
    round,
    task: "train",
    model: objectNumber(model),
    sites: ["a"],
    totalRounds: 3,
  });
  needs.note(opened(0, 10));
  needs.note(closed(0, 11, {}));
  needs.note(opened(1, 11));
  expect(held(10, 11)).toEqual([true, true]);
  needs.note(closed(1, 12, {}));
  expect(held(10, 11, 12)).toEqual([false, true, true]);
});

it("a job needs its model while it asks for statistics, what the next pass asks until that has begun, and the result for good", () => {
  const needs = new JobNeeds({ files: [] });
  const held = (...numbers: readonly number[]): boolean[] => numbers.map((number) => needs.hashes().includes(objectNumber(number).hash));
  const opened = (round: number, model: number): JobEvent => ({
    type: "round-opened",
    round,
    task: "fed_stats",
    model: objectNumber(model),
    sites: ["a"],
    totalRounds: 2,
    asks: "statistics",
  });
  needs.note({ type: "workflow-ended", model: objectNumber(1), reason: "trained" });
  needs.note(opened(0, 10));
  expect(held(1, 10)).toEqual([true, true]);
  needs.note(closed(0, 11, { statistics: objectNumber(20) }));
  expect(held(1, 11, 20)).toEqual([true, true, true]);
  needs.note(opened(1, 11));
  expect(held(1, 11, 20)).toEqual([true, true, true]);
  needs.note({ ...closed(1, 11, {}), statistics: { path: "statistics/s.json", ...objectNumber(30) } });
  needs.note({ type: "workflow-ended", model: objectNumber(1), reason: "asked" });
  needs.end();
  expect(held(1, 11, 20, 30)).toEqual([true, false, false, true]);
});

it("a job needs what each site has made for another until the next round has closed, and nothing of it at its end", () => {
  const needs = new JobNeeds({ files: [] });
  const held = (...numbers: readonly number[]): boolean[] => numbers.map((number) => needs.hashes().includes(objectNumber(number).hash));
  const made = (...numbers: readonly number[]) => Object.fromEntries(numbers.map((number) => [`site-${number}`, objectNumber(number)]));
  const common = { task: "PSI", model: objectNumber(10), sites: ["a", "b"], totalRounds: 4, asks: "intersection" } as const;
  needs.note({ type: "round-opened", round: 0, ...common });
  needs.note({ ...closed(0, 10, {}), models: made(20, 21) });
  expect(held(10, 20, 21)).toEqual([true, true, true]);
  needs.note({ type: "round-opened", round: 1, ...common, models: made(21, 20) });
  expect(held(10, 20, 21)).toEqual([true, true, true]);
  needs.note({ ...closed(1, 10, {}), models: made(30) });
  needs.note({ type: "round-opened", round: 2, ...common, models: made(30) });
  expect(held(20, 21, 30)).toEqual([false, false, true]);
  needs.end();
  expect(held(10, 30)).toEqual([false, false]);
});

it("where sites do not wait for each other, a job needs the models that they are at work on, and those of updates that are in no model", () => {
  const needs = new JobNeeds({ files: [] });
  const held = (...numbers: readonly number[]): boolean[] => numbers.map((number) => needs.hashes().includes(objectNumber(number).hash));
  const opened = (round: number, sites: readonly string[], oldestBase = 0): void => {
    const buffered = { oldestBase, updates: 1 };
    needs.note({ type: "round-opened", round, task: "train", model: objectNumber(round), sites, totalRounds: 9, buffered });
  };
  const makes = (round: number, updates: readonly { site: string; round: number }[]): void =>
    void needs.note({ ...closed(round, round + 1, {}), updates });
  opened(0, ["1", "2"]);
  needs.note(updateOf("1", 0));
  expect(needs.note({ type: "task-assigned", round: 0, task: "train", model: objectNumber(0), sites: ["3"] })).toBe("more");
  for (let round = 0; round < 5; round++) {
    makes(round, [{ site: "1", round }]);
    opened(round + 1, ["1"]);
    needs.note(updateOf("1", round + 1));
  }
  // Site 2 and 3 are at work on the first model; 4 was of use a moment ago.
  expect(held(0, 1, 2, 3, 4, 5)).toEqual([true, false, false, false, true, true]);
  needs.note(updateOf("2", 0));
  needs.note(leftOf("3"));
  for (let round = 5; round < 8; round++) {
    makes(round, [{ site: "1", round }]);
    opened(round + 1, ["1"]);
    needs.note(updateOf("1", round + 1));
  }
  // What site 2 has handed in is in no model yet.
  expect([...held(0), needs.hashes().includes(updateOf("2", 0).update.hash)]).toEqual([true, true]);
  opened(9, [], 6);
  opened(10, [], 6);
  opened(11, [], 6);
  expect(held(0)).toEqual([false]);
  needs.end();
  expect(held(9, 10, 12)).toEqual([false, false, false]);
});

it("a job whose updates nobody reads needs keys as long as its workflow goes, and what sites sign or mask anew until the round closes", () => {
  const needs = new JobNeeds({ files: [] });
  const held = (...numbers: readonly number[]): boolean[] => numbers.map((number) => needs.hashes().includes(objectNumber(number).hash));
  const opens = (step: "keys" | "mask", task: string, document: number): JobEvent => {
    return { type: "step-opened", round: 0, task, step, attempt: 0, document: objectNumber(document), sites: ["a"] };
  };
  const answer = (task: string, update: number): JobEvent => ({
    type: "step-answered",
    round: 0,
    task,
    site: "a",
    update: objectNumber(update),
  });
  needs.note(opens("keys", "train.secure-keys", 20));
  needs.note(answer("train.secure-keys", 21));
  const opened = { type: "round-opened", round: 0, task: "train", model: objectNumber(1), sites: ["a"], totalRounds: 2 } as const;
  needs.note({ ...opened, roster: objectNumber(22) });
  needs.note(opens("mask", "train.secure-mask-1", 23));
  needs.note(answer("train.secure-mask-1", 24));
  expect(held(20, 21, 22, 23, 24)).toEqual([true, true, true, true, true]);
  needs.note(closed(0, 2, {}));
  expect(held(20, 21, 22, 23, 24)).toEqual([true, true, false, false, false]);
  needs.note({ type: "workflow-ended", model: objectNumber(2), reason: "trained" });
  expect(held(20, 21)).toEqual([false, false]);
});

function closed(
  round: number,
  model: number,
  state: Extract<JobEvent, { type: "round-closed" }>["state"],
): Extract<JobEvent, { type: "round-closed" }> {
  const event = { round, contributors: ["a"], missing: [], model: objectNumber(model), metrics: {}, bytes: 1, aggregationSeconds: 0 };
  return { type: "round-closed", ...event, ...(state === undefined ? {} : { state }) };
}
