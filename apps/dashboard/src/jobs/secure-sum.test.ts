import { expect, it } from "vitest";
import { foldJournal } from "./fold-journal.js";
import type { JobEvent } from "./job-event.js";
import { sumText } from "./secure-sum.js";

const sites = ["a", "b", "c"];
const opened: JobEvent = { type: "round-opened", round: 0, task: "train", sites, totalRounds: 2, roster: {} };
const step = (name: string, attempt: number, asked: readonly string[]): JobEvent => {
  return { type: "step-opened", round: 0, task: `${name} ${attempt}`, step: name, attempt, sites: asked };
};
const answered = (task: string, site: string): JobEvent => ({ type: "step-answered", round: 0, task, site });
const failed = (task: string, site: string): JobEvent => {
  return { type: "task-failed", round: 0, task, site, error: { code: "secure/refused", message: "no" } };
};
const closed = (contributors: readonly string[]): JobEvent => {
  return { type: "round-closed", round: 0, contributors, missing: [], metrics: {}, bytes: 3, aggregationSeconds: 0 };
};

function textAfter(...events: readonly JobEvent[]): string | undefined {
  const [round] = foldJournal(events.map((event, i) => ({ seq: i + 1, atMs: 1000 * i, event }))).rounds;
  return round?.secureSum === null || round === undefined ? undefined : sumText(round.secureSum);
}

it("a round whose updates nobody reads says what sites do with their masks, and for whom it waits", () => {
  expect(textAfter(opened)).toBe("masked; added when all are there");
  const confirming = [opened, step("confirm", 0, sites), answered("confirm 0", "b")];
  expect(textAfter(...confirming)).toBe("sites confirm whose updates are added: 1 of 3, waiting for a, c");
  const anew = [...confirming, failed("confirm 0", "c"), step("mask", 1, ["a", "b"]), answered("confirm 0", "a")];
  expect(textAfter(...anew)).toBe("sites mask their updates anew (attempt 2): 0 of 2, waiting for a, b");
  const revealing = [...anew, step("reveal", 1, ["a", "b"]), answered("reveal 1", "a"), answered("reveal 1", "b")];
  expect(textAfter(...revealing)).toBe("sites take their masks back (attempt 2): 2 of 2");
  expect(textAfter(...revealing, closed(["a", "b"]))).toBe("added without being read");
  expect(textAfter(...revealing, closed([]))).toMatch(/^lost: /);
});

it("keys that sites hand in before the first round belong to no round, and other rounds have no masks", () => {
  const { roster: _, ...plain } = opened;
  expect(textAfter(step("keys", 0, sites), plain)).toBeUndefined();
});
