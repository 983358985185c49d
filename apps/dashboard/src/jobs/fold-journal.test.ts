import { expect, it } from "vitest";
import { foldJournal, JournalFold } from "./fold-journal.js";
import type { JobEvent, JournalEntry } from "./job-event.js";
import { metricCurves } from "./metric-curves.js";

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

it("gives the curves of a metric by site and for all, with gaps where a site had no value", () => {
  const { rounds } = foldJournal(journal(opened(0), accepted(0, "a", 2), closed(0, ["b"], 2), opened(1), accepted(1, "b", 1)));
  expect(metricCurves(rounds)).toEqual([
    {
      metric: "loss",
      x: [1, 2],
      curves: [
        { name: "global", values: [2, null] },
        { name: "a", values: [2, null] },
        { name: "b", values: [null, 1] },
      ],
    },
  ]);
});
