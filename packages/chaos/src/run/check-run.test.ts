import type { JobEvent, JournalEntry } from "@flare-ts/runtime/admin";
import { describe, expect, it } from "vitest";
import type { FaultOutcome } from "../faults/fault.js";
import { checkFaults, checkRun } from "./check-run.js";
import type { RunResult } from "./run-job.js";

const model = { hash: "a".repeat(64) as never, size: 4 };

function accepted(round: number, site: string): JobEvent {
  return { type: "update-accepted", round, task: "train", site, update: model, paramsType: "FULL", weight: 1, metrics: {}, meta: {} };
}

function closed(round: number, contributors: readonly string[], missing: readonly string[] = []): JobEvent {
  return { type: "round-closed", round, contributors, missing, model, metrics: {}, bytes: 8, aggregationSeconds: 0 };
}

const good: readonly JobEvent[] = [
  accepted(0, "site-1"),
  accepted(0, "site-2"),
  closed(0, ["site-1", "site-2"]),
  { type: "workflow-ended", model, reason: "done" },
  { type: "job-ended", status: "FINISHED:COMPLETED", reason: "done" },
];

function result(events: readonly JobEvent[], rest: Partial<RunResult> = {}): RunResult {
  return {
    journal: events.map((event, index): JournalEntry => ({ jobId: "job", seq: index + 1, atMs: 0, event })),
    results: { "models/m.safetensors": "1" },
    delivered: [],
    leftBehind: { processes: [], sockets: [] },
    killed: [],
    files: { server: new Map([["models/objects/<hash>", 2]]) },
    temporary: [],
    seconds: 1,
    ...rest,
  };
}

function bad(disturbed: RunResult): readonly string[] {
  return checkRun(disturbed, result(good))
    .filter(({ isGood }) => !isGood)
    .map(({ name, detail }) => `${name}: ${detail}`);
}

describe("a run that faults have disturbed", () => {
  it("is good when nothing but time tells it from an undisturbed one", () => {
    expect(bad(result(good, { seconds: 99 }))).toEqual([]);
    expect(bad(result(good, { files: { server: new Map() } }))).toEqual([]);
  });

  it.each<[string, RunResult]>([
    ["the job ended as it would have", result([...good.slice(0, -1), { type: "job-ended", status: "FINISHED:ABORTED", reason: "done" }])],
    ["the job ended as it would have", result(good.slice(0, -1))],
    ["the result has the bytes of the undisturbed run", result(good, { results: { "models/m.safetensors": "2" } })],
    ["the result has the bytes of the undisturbed run", result(good, { results: {} })],
    ["each update was counted once", result([accepted(0, "site-1"), ...good])],
    ["each update was counted once", result(good.slice(1))],
    ["each update was counted once", result([accepted(0, "site-1"), closed(0, ["site-1"], ["site-2"]), ...good.slice(3)])],
    ["each update was counted once", result([...good.slice(0, 2), closed(0, ["site-1", "site-1", "site-2"]), ...good.slice(3)])],
    ["processes all stopped when asked", result(good, { killed: ["site-1"] })],
    ["no process is left", result(good, { leftBehind: { processes: ["1 node"], sockets: [] } })],
    ["no socket is left", result(good, { leftBehind: { processes: [], sockets: ["tcp port 1"] } })],
    ["no temporary file is left", result(good, { files: { server: new Map([["models/partial/<hash>", 1]]) } })],
    ["no temporary file is left", result(good, { files: { server: new Map([["models/objects/<hash>", 3]]) } })],
    ["no temporary file is left", result(good, { temporary: ["x"] })],
  ])("is not good when not '%s'", (name, disturbed) => {
    expect(bad(disturbed)).toContainEqual(expect.stringContaining(name));
  });

  it("is not good when a site failed or left", () => {
    const error = { code: "file/unreadable", message: "no" } as never;
    const failed: JobEvent = { type: "task-failed", round: 0, task: "train", site: "site-1", error };
    expect(bad(result([failed, ...good]))).toEqual(["nobody failed or left: site-1: task-failed, file/unreadable no"]);
  });

  it("is not good when both runs failed alike, or neither has a result", () => {
    const failed = result([{ type: "job-ended", status: "FINISHED:EXECUTION_EXCEPTION", reason: "no model" }], { results: {} });
    const names = checkRun(failed, failed).flatMap(({ name, isGood }) => (isGood ? [] : [name]));
    expect(names).toEqual([
      "the job ended as it would have",
      "the result has the bytes of the undisturbed run",
      "each update was counted once",
    ]);
  });

  it("is good only when some fault has happened, and none went otherwise than meant", () => {
    const outcome = (what: FaultOutcome["outcome"]): FaultOutcome => ({
      fault: { number: 1 } as never,
      atMs: 0,
      outcome: what,
      detail: "",
    });
    const isGood = (...outcomes: readonly FaultOutcome["outcome"][]): boolean => checkFaults(outcomes.map(outcome)).isGood;
    expect(isGood("injected", "no-victim", "not-reached")).toBe(true);
    expect(isGood("no-victim", "not-reached")).toBe(false);
    expect(isGood("injected", "failed")).toBe(false);
  });
});
