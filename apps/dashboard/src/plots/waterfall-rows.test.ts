import { expect, it } from "vitest";
import { foldJournal } from "../jobs/fold-journal.js";
import type { JobEvent } from "../jobs/job-event.js";
import { trackPhases } from "../jobs/phase-track.js";
import { waterfallRows } from "./waterfall-rows.js";

const { rounds } = foldJournal([
  { seq: 1, atMs: 1000, event: { type: "round-opened", round: 0, task: "train", sites: ["slow", "quick", "broken"], totalRounds: 1 } },
  {
    seq: 2,
    atMs: 3000,
    event: { type: "update-accepted", round: 0, site: "quick", weight: 1, metrics: {}, update: { size: 10 } },
  },
  { seq: 3, atMs: 4000, event: { type: "task-failed", round: 0, site: "broken", error: { code: "x/y", message: "it broke" } } },
]);

it("puts who answered first on top, splits off the upload where it was seen, and lets the others run on", () => {
  const progress = (phase: string, atMs: number) => ({ quick: { phase, done: 0, total: 0, atMs } });
  const phases = trackPhases(trackPhases(new Map(), progress("training", 1100)), progress("uploading", 2500));
  const [round] = rounds;
  if (round === undefined) throw new Error("there is no round");
  const { rows, endMs } = waterfallRows([round], phases, 6000);
  expect(endMs).toBe(6000);
  expect(rows.map(({ site, words }) => `${site} ${words}`)).toEqual([
    "quick answered after 2.0 s",
    "broken failed after 3.0 s",
    "slow works since 5.0 s",
  ]);
  expect(rows[0]?.bars).toEqual([
    { kind: "answered", fromMs: 1000, toMs: 2500, words: "answered" },
    { kind: "transfer", fromMs: 2500, toMs: 3000, words: "uploading" },
  ]);
});

it("shows what a site has told with its answer, also where this page saw nothing of it", () => {
  const spans = [
    { phase: "waiting", reason: "waits for a GPU", ms: 400 },
    { phase: "training", ms: 1000 },
    { phase: "uploading", ms: 500 },
  ];
  const told = foldJournal([
    { seq: 1, atMs: 1000, event: { type: "round-opened", round: 0, task: "train", sites: ["quick"], totalRounds: 1 } },
    {
      seq: 2,
      atMs: 3000,
      event: { type: "update-accepted", round: 0, site: "quick", weight: 1, metrics: {}, update: { size: 10 }, spans },
    },
  ]);
  const [row] = waterfallRows(told.rounds, new Map(), 6000).rows;
  expect(row?.bars).toEqual([
    { kind: "waiting", fromMs: 1000, toMs: 1100, words: "delivery of the task" },
    { kind: "waiting", fromMs: 1100, toMs: 1500, words: "waiting (waits for a GPU)" },
    { kind: "answered", fromMs: 1500, toMs: 2500, words: "training" },
    { kind: "transfer", fromMs: 2500, toMs: 3000, words: "uploading" },
  ]);
});

it("lets no bar go beyond the end where the clock here is behind the server's", () => {
  const [round] = rounds;
  if (round === undefined) throw new Error("there is no round");
  const { rows, endMs } = waterfallRows([round], new Map(), 2000);
  expect(endMs).toBe(4000);
  expect(Math.max(...rows.flatMap(({ bars }) => bars.map(({ toMs }) => toMs)))).toBe(4000);
});

it("a track keeps its identity while nothing changes", () => {
  const track = trackPhases(new Map(), { a: { phase: "training", done: 1, total: 2, atMs: 5 } });
  expect(trackPhases(track, { a: { phase: "training", done: 2, total: 2, atMs: 9 } })).toBe(track);
});

it("puts rounds in which sites take turns one after the other", () => {
  const turn = (round: number, site: string, atMs: number): readonly (readonly [number, JobEvent])[] => [
    [atMs, { type: "round-opened", round, task: "train", sites: [site], totalRounds: 2 }],
    [atMs + 500, { type: "update-accepted", round, site, weight: 1, metrics: {}, update: { size: 1 } }],
    [atMs + 600, { type: "round-closed", round, contributors: [site], missing: [], metrics: {}, bytes: 1, aggregationSeconds: 0 }],
  ];
  const events = [...turn(0, "a", 0), ...turn(1, "b", 1000), ...turn(2, "a", 2000)];
  const turns = foldJournal(events.map(([atMs, event], index) => ({ seq: index + 1, atMs, event }))).rounds;
  const { rows, endMs } = waterfallRows(turns, new Map(), 9000);
  expect(endMs).toBe(2600);
  expect(rows.map(({ site, bars }) => [site, bars[0]?.fromMs, bars[0]?.toMs])).toEqual([
    ["a", 0, 500],
    ["b", 1000, 1500],
    ["a", 2000, 2500],
  ]);
});
