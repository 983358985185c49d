import { FlareError } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry } from "@flare-ts/runtime/admin";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { errorText } from "../../command-line/error-text.js";
import { closedRoundLines, eventLine, openRoundLines, roundData } from "./round-lines.js";
import { addToReport, emptyJobReport, evaluationsEnded, type JobReport } from "./round-report.js";

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
      expect(eventLine(entryOf(event), emptyJobReport, colors)).not.toMatch(steering);
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

describe("where sites do not wait for each other", () => {
  const opened = (round: number, sites: readonly string[]): object => ({
    type: "round-opened",
    round,
    task: "train",
    model,
    sites,
    totalRounds: 9,
    buffered: { oldestBase: 0, updates: 2 },
  });
  const accepted = (round: number, site: string): object => ({
    type: "update-accepted",
    round,
    task: "train",
    site,
    update: model,
    weight: 1,
    metrics: {},
  });
  const closed = (round: number, updates: readonly object[]): object => ({
    type: "round-closed",
    round,
    contributors: [],
    updates,
    missing: [],
    model,
    metrics: {},
    bytes: 2,
  });
  const journal = [
    opened(0, ["a", "b", "c"]),
    accepted(0, "a"),
    accepted(0, "b"),
    closed(0, [
      { site: "a", round: 0 },
      { site: "b", round: 0 },
    ]),
    opened(1, ["a", "b"]),
    accepted(0, "c"),
    { type: "task-assigned", round: 1, task: "train", model, sites: ["c"] },
  ] as unknown as readonly JobEvent[];
  const reportOf = (events: readonly JobEvent[]): JobReport =>
    events.reduce(
      (known, event, seconds) => addToReport(known, { jobId: "j", seq: seconds + 1, atMs: 1000 * seconds, event }),
      emptyJobReport,
    );

  it("the round under way shows how full the buffer is, and who is at work on which model", () => {
    expect(openRoundLines(reportOf(journal.slice(0, 5)), 5_000, { colors, columns: 200 })[0]).toMatch(
      /round 1 \(2 of 9\).*0\/2 .*at work: a, b, c \(1 behind\)/,
    );
    expect(openRoundLines(reportOf(journal), 7_000, { colors, columns: 200 })[0]).toMatch(/1\/2 .*at work: a, b, c$/);
  });

  it("a model's lines name what is in it, how long each took, and how old the model was that it began with", () => {
    const last = [
      accepted(1, "a"),
      closed(1, [
        { site: "a", round: 1 },
        { site: "c", round: 0 },
      ]),
    ] as unknown as readonly JobEvent[];
    const [, round] = reportOf([...journal, ...last]).rounds;
    expect(round && closedRoundLines(round, colors).map((line) => line.replaceAll(/ +/g, " "))).toEqual([
      "round 1 updates 2 2 B 4.00 s",
      " a weight 1 1 B 3.00 s from the newest model",
      " c weight 1 1 B 5.00 s from 1 model ago",
    ]);
    expect(round && roundData(round)).toMatchObject({
      sites: [
        { site: "c", base_round: 0 },
        { site: "a", base_round: 1 },
      ],
    });
  });

  it("a failure with the model of a round that has had its lines is told at once", () => {
    const failure = { type: "task-failed", round: 0, task: "train", site: "c", error } as unknown as JobEvent;
    const report = reportOf([...journal.slice(0, 5), failure]);
    expect(eventLine(entryOf(failure), report, colors)).toMatch(/^c failed with the model of round 0: /);
    expect(openRoundLines(report, 6_000, { colors, columns: 200 })[0]).toMatch(/at work: a, b$/);
  });
});

describe("a round whose updates nobody reads", () => {
  const sites = ["site-1", "site-2", "site-3"];
  const opened = { type: "round-opened", round: 0, task: "train", model, sites, totalRounds: 2, roster: model };
  const step = (name: string, attempt: number) => ({
    type: "step-opened",
    round: 0,
    task: `train.secure-${name}-${attempt}`,
    step: name,
    attempt,
    document: model,
    sites: attempt === 0 ? sites : sites.slice(0, 2),
  });
  const answered = (task: string, site: string) => ({ type: "step-answered", round: 0, task, site, update: model });
  const reportOf = (...events: readonly object[]) =>
    events.reduce<JobReport>((known, event) => addToReport(known, entryOf(event as JobEvent)), emptyJobReport);
  const linesOf = (...events: readonly object[]) => openRoundLines(reportOf(...events), 5_000, { colors, columns: 200 }).join("\n");

  it("says which step it is in, and for whom it waits", () => {
    expect(linesOf({ ...step("keys", 0), task: "train.secure-keys" })).toMatch(
      /before the first round.*hand in keys.*waiting for site-1, site-2, site-3/,
    );
    expect(linesOf(opened, step("confirm", 0), answered("train.secure-confirm-0", "site-2"))).toMatch(
      /round 0 \(1 of 2\).*confirm whose updates are added.*1\/3.*waiting for site-1, site-3/,
    );
    expect(linesOf(opened, step("mask", 1), answered("train.secure-confirm-0", "site-1"))).toMatch(
      /mask their updates anew \(attempt 2\).*0\/2.*waiting for site-1, site-2/,
    );
  });

  it("tells no weights, and says when it is lost", () => {
    const update = { type: "update-accepted", round: 0, task: "train", site: "site-1", update: model, weight: 1, metrics: {} };
    const closed = { type: "round-closed", round: 0, contributors: [], missing: sites, model, metrics: {}, bytes: 0 };
    const [round] = reportOf(opened, update, closed).rounds;
    if (round === undefined) throw new TypeError("there is no round");
    const lines = closedRoundLines(round, colors).join("\n");
    expect(lines).toMatch(/site-1 {2}masked/);
    expect(lines).not.toContain("weight");
    expect(lines).toMatch(/lost: /);
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
    expect(eventLine(entryOf(best), emptyJobReport, colors)?.length).toBeLessThan(100);
  });

  it("say on a narrow terminal how many sites are waited for, and which", () => {
    const lines = (columns: number): string[] => openRoundLines(reportOf(opened), 5_000, { colors, columns });
    expect(lines(40)).toEqual(["round 0 (1 of 3)  0/2  5.00 s", "  waiting for site-1, site-2"]);
    expect(lines(60)).toEqual(["round 0 (1 of 3)  0/2  5.00 s  waiting for site-1, site-2"]);
    expect(lines(90)).toEqual([`round 0 (1 of 3)  ${"░".repeat(24)}   0 %  0/2  5.00 s  waiting for site-1, site-2`]);
  });
});

describe("rounds of a job of several workflows", () => {
  const sites = ["site-1", "site-2"];
  const opened = (round: number, more: object): object => ({
    type: "round-opened",
    round,
    task: "train",
    model,
    sites,
    totalRounds: 2,
    ...more,
  });
  const accepted = (round: number, site: string): object => ({
    type: "update-accepted",
    round,
    task: "",
    site,
    update: model,
    weight: 1,
    metrics: { accuracy: 0.5 },
  });
  const closed = (round: number, more: object = {}): object => ({
    type: "round-closed",
    round,
    contributors: ["site-1"],
    missing: ["site-2"],
    model,
    metrics: { accuracy: 0.5 },
    bytes: 1,
    ...more,
  });
  const failed = (round: number, task: string): object => ({ type: "task-failed", round, task, site: "site-2", error });
  const ended = { type: "workflow-ended", model, reason: "done" };
  const events = [
    { type: "job-started", sites },
    opened(0, { workflow: "train" }),
    accepted(0, "site-1"),
    closed(0),
    opened(1, { workflow: "train" }),
    accepted(1, "site-1"),
    closed(1),
    ended,
    opened(2, { workflow: "cycle", sites: ["site-2"] }),
    closed(2, { contributors: [], missing: [] }),
    ended,
    opened(3, { workflow: "matrix", task: "submit_model", totalRounds: 4 }),
    accepted(3, "site-1"),
    closed(3, { models: { "site-1": model } }),
    opened(4, { workflow: "matrix", task: "validate", totalRounds: 3, evaluates: "SRV_FL_global_model" }),
    accepted(4, "site-1"),
    failed(4, "validate"),
    closed(4),
    opened(5, { workflow: "matrix", task: "validate", totalRounds: 3, evaluates: "site-1" }),
    failed(5, "validate"),
  ] as readonly JobEvent[];
  const reports: JobReport[] = [];
  for (const event of events) reports.push(addToReport(reports.at(-1) ?? emptyJobReport, entryOf(event)));
  const report = reports.at(-1) ?? emptyJobReport;

  it("say which of its workflow's rounds each is, and what it is about", () => {
    const first = report.rounds.map((round) => closedRoundLines(round, colors)[0]);
    expect(first).toEqual([
      "round 0 (train: 1 of 2)  accuracy 0.5000  updates 1/2  1 B  0.00 s  missing: site-2",
      "round 1 (train: 2 of 2)  accuracy 0.5000  updates 1/2  1 B  0.00 s  missing: site-2",
      "round 2 (cycle: 1 of 2)  at site-2  accuracy 0.5000  updates 0/1  1 B  0.00 s",
      "round 3 (matrix: 1 of 4)  submit_model  accuracy 0.5000  models 1/2  1 B  0.00 s  missing: site-2",
      "round 4 (matrix: 2 of 3)  model of SRV_FL_global_model  accuracy 0.5000  answers 1/2  0.00 s  missing: site-2",
      undefined,
    ]);
    expect(openRoundLines(report, 0, { colors, columns: 80 })).toEqual([
      "round 5 (matrix: 3 of 3)  model of site-1  0/2  0.00 s  waiting for site-1",
    ]);
  });

  it("tell of each site what it has found, without what an evaluation has no use for", () => {
    expect(report.rounds.slice(4, 5).flatMap((round) => closedRoundLines(round, colors))[1]).toBe("  site-1  accuracy 0.5000  0.00 s");
  });

  it("end with the name of their workflow", () => {
    const lines = events.map((event, i) => eventLine(entryOf(event), reports[i] ?? emptyJobReport, colors));
    expect(lines.filter((line) => line?.startsWith("workflow"))).toEqual(["workflow train ended: done", "workflow cycle ended: done"]);
  });

  it("say in JSON whose they are", () => {
    const said = report.rounds.map(roundData);
    expect(said[0]).toMatchObject({ round: 0, workflow: "train", task: "train", evaluates: null });
    expect(said[4]).toMatchObject({ round: 4, workflow: "matrix", task: "validate", evaluates: "SRV_FL_global_model" });
  });

  it("tell of an evaluation once that it is over", () => {
    const over = addToReport(report, entryOf(ended as unknown as JobEvent));
    expect(evaluationsEnded(report, over).map(({ workflow, models }) => [workflow, models.length])).toEqual([["matrix", 2]]);
    const end = { type: "job-ended", status: "FINISHED:COMPLETED", reason: "" } as const;
    expect(evaluationsEnded(over, addToReport(over, entryOf(end)))).toEqual([]);
  });
});

const steering = /\p{Cc}/u;

function entryOf(event: JobEvent): JournalEntry {
  return { jobId: "j", seq: 1, atMs: 0, event };
}
