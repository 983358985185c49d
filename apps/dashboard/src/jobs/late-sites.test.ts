import { expect, it } from "vitest";
import { foldJournal } from "./fold-journal.js";
import type { JobEvent } from "./job-event.js";
import { lateSites } from "./late-sites.js";

const opened: JobEvent = { type: "round-opened", round: 0, task: "train", sites: ["a", "b", "c"], totalRounds: 3 };
const accepted = (site: string): JobEvent => ({ type: "update-accepted", round: 0, site, weight: 1, metrics: {}, update: { size: 5 } });

function lateAt(nowMs: number, ...events: readonly (readonly [number, JobEvent])[]): readonly string[] {
  const [round] = foldJournal(events.map(([atMs, event], index) => ({ seq: index + 1, atMs, event }))).rounds;
  return round === undefined ? [] : [...lateSites(round, nowMs)];
}

it("nobody is late before somebody has answered", () => {
  expect(lateAt(1_000_000, [0, opened])).toEqual([]);
});

it("who takes twice as long as those that have answered is late", () => {
  const answered = [
    [0, opened],
    [10_000, accepted("a")],
  ] as const;
  expect(lateAt(19_000, ...answered)).toEqual([]);
  expect(lateAt(21_000, ...answered)).toEqual(["b", "c"]);
  expect(lateAt(21_000, ...answered, [20_500, accepted("b")])).toEqual([]);
});

it("in rounds of moments nobody is late for moments", () => {
  expect(lateAt(4000, [0, opened], [100, accepted("a")])).toEqual([]);
});

it("after the deadline all that still work are late, and who is gone is not late but gone", () => {
  const gone: JobEvent = { type: "site-disconnected", site: "c", reason: "its link broke" };
  expect(lateAt(2000, [0, opened], [1000, gone], [1500, { type: "deadline-passed", round: 0 }])).toEqual(["a", "b"]);
});
