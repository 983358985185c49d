import { FlareError } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry } from "@flare-ts/runtime/admin";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { errorText } from "../../command-line/error-text.js";
import { closedRoundLines, eventLine, openRoundLines } from "./round-lines.js";
import { addToReport, emptyJobReport, type JobReport } from "./round-report.js";

/** Clears a screen, and then says what it likes. */
const evil = "\u001b[2J\u001b]0;owned\u0007\nall is well";
const colors = picocolors.createColors(false);
const error = { code: "internal/bug", message: evil };
const model = { hash: "a".repeat(64), size: 1 };

describe("what a site or a submitter has said", () => {
  const events = [
    { type: "job-submitted", submitter: "ann@a.org", name: evil },
    { type: "site-disconnected", site: "site-1", reason: evil },
    { type: "site-left", site: "site-1", error },
    { type: "deadline-passed", round: 0, late: [{ site: "site-1", why: evil }] },
    { type: "process-restarted", where: "server", reason: evil },
    { type: "best-model", round: 0, model, metric: evil, value: 1 },
    { type: "workflow-ended", model, reason: evil },
  ] as unknown as readonly JobEvent[];

  it.each(events.map((event) => [event.type, event] as const))(
    "does not steer the terminal of whoever watches the job: %s",
    (_type, event) => {
      expect(eventLine(entryOf(event), colors)).not.toMatch(steering);
    },
  );

  it("does not steer it in the lines of a round, nor where a command fails with it", () => {
    const told = [
      { type: "round-opened", round: 0, task: "train", model, sites: ["site-1", "site-2"], totalRounds: 1 },
      { type: "update-accepted", round: 0, task: "train", site: "site-1", update: model, weight: 1, metrics: { [evil]: 1 } },
      { type: "task-failed", round: 0, task: "train", site: "site-2", error },
      { type: "round-closed", round: 0, contributors: ["site-1"], missing: ["site-2"], model, metrics: { [evil]: 1 }, bytes: 1 },
    ] as unknown as readonly JobEvent[];
    const report = told.reduce((known, event) => addToReport(known, entryOf(event)), emptyJobReport);
    const [round] = report.rounds;
    if (round === undefined) throw new TypeError("there is no round");
    const lines = closedRoundLines(round, colors);
    expect(lines.length).toBe(3);
    const failure = new FlareError("cli/job-not-completed", evil, { problems: [{ message: evil }] });
    for (const line of [...lines, ...errorText(failure, { colors, isVerbose: true })]) expect(line).not.toMatch(steering);
  });
});

describe("the lines of a round", () => {
  const opened = { type: "round-opened", round: 0, task: "train", model, sites: ["site-1", "site-2"], totalRounds: 3 };
  const reportOf = (...events: readonly object[]): JobReport =>
    events.reduce<JobReport>((known, event) => addToReport(known, entryOf(event as JobEvent)), emptyJobReport);

  it("show of a name that is too long for a line its beginning, and of many metrics the first", () => {
    const metrics = Object.fromEntries([["a".repeat(65_000), 1], ...Array.from({ length: 300 }, (_, i) => [`m${1000 + i}`, i])]);
    const closed = { type: "round-closed", round: 0, contributors: [], missing: [], model, metrics, bytes: 1 };
    const [round] = reportOf(opened, closed).rounds;
    if (round === undefined) throw new TypeError("there is no round");
    const [line = ""] = closedRoundLines(round, colors);
    expect(line).toContain(`  ${"a".repeat(39)}… 1.0000  m1000 0.0000  m1001 1.0000`);
    expect(line).toContain("m1010 10.0000  and 289 more metrics  updates 0/2");
    expect(line.length).toBeLessThan(300);
    const best = { type: "best-model", round: 0, model, metric: "b".repeat(65_000), value: 1 } as unknown as JobEvent;
    expect(eventLine(entryOf(best), colors)?.length).toBeLessThan(100);
  });

  it("say on a narrow terminal how many sites are waited for, and which", () => {
    const lines = (columns: number): string[] => openRoundLines(reportOf(opened), 5_000, { colors, columns });
    expect(lines(40)).toEqual(["round 0 (1 of 3)  0/2  5.00 s", "  waiting for site-1, site-2"]);
    expect(lines(60)).toEqual(["round 0 (1 of 3)  0/2  5.00 s  waiting for site-1, site-2"]);
    expect(lines(90)).toEqual([`round 0 (1 of 3)  ${"░".repeat(24)}   0 %  0/2  5.00 s  waiting for site-1, site-2`]);
  });
});

const steering = /\p{Cc}/u;

function entryOf(event: JobEvent): JournalEntry {
  return { jobId: "j", seq: 1, atMs: 0, event };
}
