import { expect, it } from "vitest";
import { bufferedWork, madeOfText, olderAtWork } from "./buffered-work.js";
import { foldJournal, type JobView } from "./fold-journal.js";
import type { JobEvent } from "./job-event.js";

const opened = (round: number, sites: readonly string[], oldestBase = 0): JobEvent => ({
  type: "round-opened",
  round,
  task: "train",
  sites,
  totalRounds: 9,
  buffered: { oldestBase, updates: 2 },
});
const accepted = (round: number, site: string): JobEvent => ({
  type: "update-accepted",
  round,
  site,
  weight: 10,
  metrics: {},
  update: { size: 500 },
});
const closed = (round: number, updates: readonly { site: string; round: number }[]): JobEvent => ({
  type: "round-closed",
  round,
  contributors: [],
  updates,
  missing: [],
  metrics: {},
  bytes: 500,
  aggregationSeconds: 0.5,
});
const viewOf = (...events: readonly JobEvent[]): JobView => foldJournal(events.map((event, i) => ({ seq: i + 1, atMs: 1000 * i, event })));
const workOf = (view: JobView): unknown => {
  const work = bufferedWork(view);
  return work === null ? null : { ...work, atWork: work.atWork.map(({ site, round }) => `${site} ${round.round}`) };
};

const firstModel = [
  opened(0, ["a", "b", "c"]),
  accepted(0, "a"),
  accepted(0, "b"),
  closed(0, [
    { site: "a", round: 0 },
    { site: "b", round: 0 },
  ]),
];

it("shows a site at work on an older model as at work, and its update as one for the next", () => {
  expect(workOf(viewOf(...firstModel, opened(1, ["a", "b"])))).toEqual({ updates: 2, buffered: 0, atWork: ["a 1", "b 1", "c 0"] });
  const older = olderAtWork(viewOf(...firstModel, opened(1, ["a", "b"])));
  expect(older.map(({ round, sites }) => [round, [...sites.keys()]])).toEqual([[0, ["c"]]]);
  const later = viewOf(...firstModel, opened(1, ["a", "b"]), accepted(0, "c"), { type: "task-assigned", round: 1, sites: ["c"] });
  expect(workOf(later)).toEqual({ updates: 2, buffered: 1, atWork: ["a 1", "b 1", "c 1"] });
  expect(later.rounds[0]?.sites.get("c")).toMatchObject({ state: "answered", openedMs: 0, answeredMs: 5000 });
  expect(later.rounds[1]?.sites.get("c")).toMatchObject({ state: "working", openedMs: 6000 });
});

it("says what a model was made of, and how old that was", () => {
  const updates = [
    { site: "a", round: 2 },
    { site: "b", round: 1 },
    { site: "c", round: 0 },
  ];
  const [, , round] = viewOf(...firstModel, opened(1, []), closed(1, []), opened(2, []), closed(2, updates)).rounds;
  expect(round && madeOfText(round)).toBe("a, b (1 model behind), c (2 models behind)");
});

it("shows who was told to stop, and who was at work as the workflow ended, as missing", () => {
  const view = viewOf(...firstModel, opened(1, ["a", "b", "c"], 1));
  expect(view.rounds[0]?.sites.get("c")?.state).toBe("missing");
  const ended = viewOf(...firstModel, opened(1, ["a"]), { type: "workflow-ended", reason: "done" });
  expect([ended.rounds[0]?.sites.get("c")?.state, ended.rounds[1]?.sites.get("a")?.state]).toEqual(["missing", "missing"]);
});

it("shows that a site is gone which is at work on an older model", () => {
  const view = viewOf(...firstModel, opened(1, ["a", "b"]), { type: "site-disconnected", site: "c", reason: "its link broke" });
  expect(view.rounds[0]?.sites.get("c")).toMatchObject({ state: "gone", cause: "its link broke" });
  const back = viewOf(
    ...firstModel,
    opened(1, ["a", "b"]),
    { type: "site-disconnected", site: "c", reason: "" },
    { type: "site-connected", site: "c" },
  );
  expect(back.rounds[0]?.sites.get("c")?.state).toBe("working");
});
