import { expect, it } from "vitest";
import { foldJournal, JournalFold } from "./fold-journal.js";
import type { JobEvent, JournalEntry } from "./job-event.js";

const journal = (...events: readonly JobEvent[]): JournalEntry[] => events.map((event, i) => ({ seq: i + 1, atMs: 1000 * i, event }));
const opened = (round: number): JobEvent => ({ type: "round-opened", round, task: "train", sites: ["a", "b"], totalRounds: 3 });
const accepted = (round: number, site: string, loss: number): JobEvent => ({
  type: "update-accepted",
  round,
  site,
  weight: 10,
  metrics: { loss },
  update: { size: 500 },
});
const closed = (round: number, missing: readonly string[], loss: number): JobEvent => ({
  type: "round-closed",
  round,
  contributors: ["a"],
  missing,
  metrics: { loss },
  bytes: 500,
  aggregationSeconds: 0.5,
});

it("says of each round who answered, who did not, and why", () => {
  const { rounds, incidents } = foldJournal(
    journal(opened(0), accepted(0, "a", 2), { type: "site-disconnected", site: "b", reason: "its link broke" }, closed(0, ["b"], 2)),
  );
  const [round] = rounds;
  expect(round?.sites.get("a")).toMatchObject({ state: "answered", answeredMs: 1000, bytes: 500, weight: 10 });
  expect(round?.sites.get("b")).toMatchObject({ state: "gone", cause: "its link broke" });
  expect(incidents.map(({ text }) => text)).toEqual(["b is disconnected: its link broke", "Round 1 closed without b"]);
});

it("passes over kinds of entries that it does not know, and says who is late and why", () => {
  const receipt = { type: "round-receipt", round: 0, document: "{}" } as unknown as JobEvent;
  const { incidents } = foldJournal(
    journal(opened(0), receipt, { type: "deadline-passed", round: 0, late: [{ site: "b", why: "uploading 3 of 10 MB" }] }),
  );
  expect(incidents.map(({ text }) => text)).toEqual(["Round 1 passed its deadline; late: b (uploading 3 of 10 MB)"]);
});

it("a site that comes back works on, and one that is silent at the end is missing", () => {
  const { rounds } = foldJournal(
    journal(opened(0), { type: "site-disconnected", site: "b", reason: "x" }, { type: "site-connected", site: "b" }, closed(0, ["b"], 1)),
  );
  expect(rounds[0]?.sites.get("b")?.state).toBe("missing");
});

it("at the end of a job nobody works any more, in a round that did not close neither", () => {
  const { rounds } = foldJournal(
    journal(opened(0), accepted(0, "a", 2), { type: "job-ended", status: "FINISHED:ABORTED", reason: "aborted by ada@example.org" }),
  );
  expect(rounds[0]?.closedMs).toBeNull();
  expect([...(rounds[0]?.sites.values() ?? [])].map(({ state }) => state)).toEqual(["answered", "missing"]);
});

it("a round that is opened twice, as after a restart of the server, keeps what it had", () => {
  const { rounds } = foldJournal(journal(opened(0), accepted(0, "a", 2), opened(0)));
  expect(rounds).toHaveLength(1);
  expect(rounds[0]?.sites.get("a")?.state).toBe("answered");
});

it("a journal that grows is read on, and one that was fetched anew is read from its beginning", () => {
  const whole = journal(opened(0), accepted(0, "a", 2), closed(0, ["b"], 2), opened(1), accepted(1, "b", 1));
  const fold = new JournalFold();
  for (let count = 0; count <= whole.length; count++) expect(fold.take(whole.slice(0, count))).toEqual(foldJournal(whole.slice(0, count)));
  const again = structuredClone(whole);
  expect(fold.take(again)).toEqual(foldJournal(whole));
  expect(fold.take(again)).toBe(fold.take(again));
});

it("counts rounds within their workflow, and says of which one things happened where a job has several", () => {
  const inWorkflow = (event: JobEvent, workflow: string, more: object = {}): JobEvent => ({ ...event, workflow, ...more }) as JobEvent;
  const { workflows, incidents } = foldJournal(
    journal(
      inWorkflow(opened(0), "train"),
      closed(0, ["b"], 2),
      { type: "workflow-ended", reason: "all 1 rounds are done" },
      inWorkflow(opened(1), "measure", { task: "hand_in" }),
      { type: "task-failed", round: 1, site: "b", error: { code: "x/y", message: "it broke" } },
      { ...closed(1, ["b"], 2), models: { a: {} } } as JobEvent,
      inWorkflow(opened(2), "measure", { task: "validate", evaluates: "SRV_FL_global_model" }),
      { type: "deadline-passed", round: 2 },
    ),
  );
  expect(
    workflows.map(({ id, endReason, rounds }) => [id, endReason, rounds.map(({ round, number, kind }) => [round, number, kind])]),
  ).toEqual([
    ["train", "all 1 rounds are done", [[0, 1, "train"]]],
    [
      "measure",
      null,
      [
        [1, 1, "submit"],
        [2, 2, "evaluate"],
      ],
    ],
  ]);
  expect(incidents.map(({ text }) => text)).toEqual([
    "The workflow train began",
    "Round 1 of train closed without b",
    "The workflow train ended: all 1 rounds are done",
    "The workflow measure began",
    "b failed in round 1 of measure: it broke",
    "Round 1 of measure closed without b",
    "Round 2 of measure passed its deadline",
  ]);
});

it("of a job's only workflow nothing says that it is one, and rounds that begin with another number count from 1 all the same", () => {
  const { workflows, incidents } = foldJournal(journal(opened(4), closed(4, ["b"], 2), { type: "workflow-ended", reason: "done" }));
  expect(workflows.map(({ id, rounds }) => [id, rounds.map(({ number }) => number)])).toEqual([["", [1]]]);
  expect(incidents.map(({ text }) => text)).toEqual(["Round 1 closed without b", "The workflow ended: done"]);
});
