import { rm } from "node:fs/promises";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { describe, expect, it } from "vitest";
import type { HostedTask, SiteAnswer } from "../job-process/memory-job-host.test-support.js";
import { runHosted } from "../job-process/run-hosted.test-support.js";
import { answerOf, smallJob } from "../job-process/small-job.test-support.js";
import type { JobEvent, JournalEntry } from "./job-event.js";
import { crossValidationResults, evaluationsOf } from "./model-evaluations.js";

const model = { hash: "a".repeat(64), size: 1 };
const error = { code: "client-api/trainer-died", message: "it is broken" };
const opened = (round: number, evaluates: string | undefined, more: object = {}): object => ({
  type: "round-opened",
  round,
  task: evaluates === undefined ? "submit_model" : "validate",
  model,
  sites: ["site-1", "site-2"],
  totalRounds: 3,
  ...(evaluates === undefined ? {} : { evaluates }),
  ...more,
});
const accepted = (round: number, site: string, value: number): object => ({
  type: "update-accepted",
  round,
  task: "validate",
  site,
  update: model,
  paramsType: "FULL",
  weight: 1,
  metrics: { accuracy: value },
  meta: {},
});
const closed = (round: number, contributors: readonly string[], missing: readonly string[] = []): object => ({
  type: "round-closed",
  round,
  contributors,
  missing,
  model,
  metrics: {},
  bytes: 0,
  aggregationSeconds: 0,
});
const journal = (...events: readonly object[]): JournalEntry[] =>
  events.map((event, i) => ({ jobId: "j", seq: i + 1, atMs: i, event: event as JobEvent }));
const accuracy = (value: number): object => ({ accuracy: value });

describe("the evaluations in a journal", () => {
  it("are what every site has found of every model, in the journal of a job that did it", async () => {
    const host = await smallJob({ args: { num_rounds: 1 }, more: [{ id: "matrix", path: "CrossSiteModelEval" }], train: evaluating });
    try {
      await runHosted(host);
      const [evaluation, ...others] = evaluationsOf(host.entries);
      expect(others).toEqual([]);
      expect(evaluation).toMatchObject({ workflow: "matrix", isOver: true, notHandedIn: [{ site: "site-3", why: "it is broken" }] });
      expect(evaluation?.models.map(({ owner, round }) => [owner, round])).toEqual([
        ["SRV_FL_global_model", 2],
        ["site-1", 3],
        ["site-2", 4],
      ]);
      const found = (site: number): object =>
        Object.fromEntries(evaluation?.models.map(({ owner, round }) => [owner, { site, round }]) ?? []);
      expect(crossValidationResults(evaluation ?? { models: [] })).toEqual({ "site-1": found(1), "site-2": found(2), "site-3": found(3) });
    } finally {
      await rm(host.folder, { recursive: true });
    }
  });

  it("are told apart by their workflows, and from training between them", () => {
    const of = (workflow: string): object => ({ workflow });
    const entries = journal(
      opened(0, "SRV_FL_global_model", of("before")),
      accepted(0, "site-1", 0.1),
      closed(0, ["site-1"], ["site-2"]),
      { type: "workflow-ended", model, reason: "" },
      opened(1, undefined, { ...of("training"), task: "train" }),
      accepted(1, "site-2", 0.5),
      closed(1, ["site-2"], ["site-1"]),
      { type: "workflow-ended", model, reason: "" },
      opened(2, "SRV_FL_global_model", of("after")),
      accepted(2, "site-2", 0.2),
    );
    const evaluations = evaluationsOf(entries);
    expect(evaluations.map(({ workflow, isOver, notHandedIn }) => [workflow, isOver, notHandedIn])).toEqual([
      ["before", true, []],
      ["after", false, []],
    ]);
    expect(evaluations.map(crossValidationResults)).toEqual([
      { "site-1": { SRV_FL_global_model: accuracy(0.1) } },
      { "site-2": { SRV_FL_global_model: accuracy(0.2) } },
    ]);
  });

  it("count neither an answer that came too late, nor a second one, nor one that could not be used", () => {
    const entries = journal(
      opened(0, "SRV_FL_global_model"),
      accepted(0, "site-2", 0.2),
      accepted(0, "site-1", 0.1),
      accepted(0, "site-1", 0.9),
      { type: "task-failed", round: 0, task: "validate", site: "site-2", error },
      closed(0, ["site-1"], ["site-2"]),
      accepted(0, "site-2", 0.9),
      opened(1, "site-1"),
      accepted(1, "site-2", 0.3),
      { type: "deadline-passed", round: 1, late: [{ site: "site-1", why: "training" }] },
      accepted(1, "site-1", 0.9),
      closed(1, ["site-2"], ["site-1"]),
    );
    const [evaluation] = evaluationsOf(entries);
    expect(evaluation).not.toHaveProperty("workflow");
    expect(evaluation?.models).toMatchObject([
      { found: [{ site: "site-1", metrics: accuracy(0.1) }], missing: [{ site: "site-2", why: "it is broken" }] },
      { found: [{ site: "site-2", metrics: accuracy(0.3) }], missing: [{ site: "site-1", why: "training" }] },
    ]);
  });

  it("tell while a round is open what is there already, and who is gone", () => {
    const entries = journal(opened(0, "SRV_FL_global_model"), accepted(0, "site-1", 0.1), { type: "site-left", site: "site-2", error });
    expect(evaluationsOf(entries)).toMatchObject([
      { isOver: false, models: [{ found: [{ site: "site-1" }], missing: [{ site: "site-2", why: "it is broken" }] }] },
    ]);
    const left = journal(opened(0, "SRV_FL_global_model"), accepted(0, "site-1", 0.1), { type: "site-left", site: "site-1", error });
    expect(evaluationsOf(left)).toMatchObject([{ models: [{ found: [{ site: "site-1" }], missing: [] }] }]);
  });

  it("are none where nothing is evaluated", () => {
    expect(evaluationsOf(journal(opened(0, undefined), accepted(0, "site-1", 1), closed(0, ["site-1"])))).toEqual([]);
  });

  it("hold what a site calls its metrics, whatever that is", () => {
    const metrics = JSON.parse('{"__proto__": 0.5}') as object;
    const entries = journal(opened(0, "SRV_FL_global_model"), { ...accepted(0, "site-1", 0), metrics }, closed(0, ["site-1"]));
    const [evaluation] = evaluationsOf(entries);
    expect(JSON.stringify(crossValidationResults(evaluation ?? { models: [] }))).toBe(
      '{"site-1":{"SRV_FL_global_model":{"__proto__":0.5}}}',
    );
  });
});

/** Of three sites the last one hands in no model; each measures its own number and that of the round. */
function evaluating(task: HostedTask): Promise<SiteAnswer> {
  const site = Number(task.site.slice(-1));
  if (task.task === "validate") {
    return Promise.resolve({ bytes: encodeSafetensors([]), paramsType: "FULL", weight: 1, metrics: { site, round: task.round } });
  }
  return Promise.resolve(task.task === "submit_model" && site === 3 ? { error } : answerOf(task));
}
