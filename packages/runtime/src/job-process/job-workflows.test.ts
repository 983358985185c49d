import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { afterEach, describe, expect, it } from "vitest";
import type { JobEvent } from "../job/job-event.js";
import { ManualClock } from "../workflow/manual-clock.test-support.js";
import type { HostedTask, MemoryJobHost, SiteAnswer } from "./memory-job-host.test-support.js";
import { decisionsOf, runHosted } from "./run-hosted.test-support.js";
import { answerOf, finalHash, type SmallJobInit, smallJob, valuesOf } from "./small-job.test-support.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

const evaluation = { id: "evaluation", path: "CrossSiteModelEval" };

describe("a job of several workflows", () => {
  it("hands the model, the best one and the count of rounds from one to the next, and ends when the last one does", async () => {
    const host = await hostOf({
      args: { num_rounds: 2, key_metric: "loss" },
      more: [{ id: "more", path: "FedAvg", args: { num_rounds: 1 } }],
    });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-opened").map(({ round, workflow, totalRounds }) => [round, workflow, totalRounds])).toEqual([
      [0, "controller", 2],
      [1, "controller", 2],
      [2, "more", 1],
    ]);
    const [first, second] = host.eventsOf("workflow-ended");
    expect(host.eventsOf("round-opened")[2]?.model).toEqual(first?.model);
    expect(host.end).toEqual({ model: second?.model, reason: "all 1 rounds are done" });
    // The mean of 1, 2 and 3 by their own weights, three times.
    for (const [i, value] of (await modelOf(host)).entries()) expect(value).toBeCloseTo(i + 1 + 3 * (14 / 6), 4);
  });

  it("tells trainers the rounds of their own workflow", async () => {
    const metas: unknown[] = [];
    const host = await hostOf({
      args: { num_rounds: 1 },
      more: [{ id: "more", path: "FedAvg", args: { num_rounds: 1, start_round: 7 } }],
      train: (task) => {
        if (task.site === "site-1") metas.push([task.round, task.meta]);
        return Promise.resolve(answerOf(task));
      },
    });
    await runHosted(host);
    expect(metas).toEqual([
      [0, {}],
      [1, { current_round: 7, start_round: 7 }],
    ]);
  });

  it("does without a site in a later workflow that left in an earlier one", async () => {
    const host = await hostOf({
      args: { num_rounds: 1, min_clients: 1 },
      more: [{ id: "more", path: "FedAvg", args: { num_rounds: 1, min_clients: 1 } }],
      train: (task, { entries }) => {
        if (task.round === 0 && task.site === "site-3" && !entries.some(({ event }) => event.type === "site-left")) {
          host.add({ type: "site-left", site: "site-3", error: { code: "internal/bug", message: "gone" } });
          return Promise.resolve("silence");
        }
        return Promise.resolve(answerOf(task));
      },
    });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-opened").map(({ sites }) => sites)).toEqual([
      ["site-1", "site-2", "site-3"],
      ["site-1", "site-2"],
    ]);
  });

  describe.each([
    ["training, cyclic training and evaluation", [{ id: "cycle", path: "Cyclic", args: { num_rounds: 2, order: "RANDOM" } }, evaluation]],
    ["training twice", [{ id: "more", path: "FedAvg", args: { num_rounds: 1, strategy: "fed-adam" } }]],
  ])("%s", (_, more) => {
    it.each(["before", "after"] as const)("gives the same bytes when its process is killed %s any entry of the journal", async (when) => {
      const init = { args: { num_rounds: 1, key_metric: "loss" }, more, train: inTurn };
      const undisturbed = await hostOf(init);
      await runHosted(undisturbed);
      for (let seq = 1; seq <= undisturbed.entries.length; seq++) {
        const host = await hostOf(init);
        expect(await runHosted(host, { seq, when }), `killed ${when} ${seq}`).toEqual({ exitStatus: 0 });
        expect(finalHash(host), `killed ${when} ${seq}`).toBe(finalHash(undisturbed));
        expect(decisionsOf(host.entries), `killed ${when} ${seq}`).toEqual(decisionsOf(undisturbed.entries));
      }
    });
  });
});

describe("cyclic training", () => {
  it("goes from site to site, each with what the one before has made", async () => {
    const host = await hostOf({ workflow: "CyclicController", args: { num_rounds: 2 } });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-opened").map(({ round, sites, totalRounds }) => [round, ...sites, totalRounds])).toEqual([
      [0, "site-1", 6],
      [1, "site-2", 6],
      [2, "site-3", 6],
      [3, "site-1", 6],
      [4, "site-2", 6],
      [5, "site-3", 6],
    ]);
    expect(await modelOf(host)).toEqual([1 + 12, 2 + 12, 3 + 12]);
    expect(host.end).toMatchObject({ reason: "all 2 rounds are done" });
  });

  it("counts rounds for trainers as FLARE does: one for all turns", async () => {
    const metas: unknown[] = [];
    const host = await hostOf({
      workflow: "nvflare.app_common.workflows.cyclic.Cyclic",
      args: { num_rounds: 2, num_clients: 2, order: ["site-2", "site-1"] },
      train: (task) => {
        metas.push([task.site, task.meta]);
        return Promise.resolve(answerOf(task));
      },
    });
    await runHosted(host);
    expect(metas).toEqual([
      ["site-2", { total_rounds: 2 }],
      ["site-1", { current_round: 0, total_rounds: 2 }],
      ["site-2", { current_round: 1, total_rounds: 2 }],
      ["site-1", { current_round: 1, total_rounds: 2 }],
    ]);
  });

  it("adds differences to the model", async () => {
    const host = await hostOf({ workflow: "Cyclic", args: { num_rounds: 1 }, train: (task) => Promise.resolve(answerOf(task, "DIFF")) });
    await runHosted(host);
    expect(await modelOf(host)).toEqual([7, 8, 9]);
  });

  it("passes over a turn that fails, that is not answered in time, or whose model cannot be used", async () => {
    const clock = new ManualClock(1_000_000);
    const host = await hostOf({
      workflow: "Cyclic",
      args: { num_rounds: 2, train_timeout: 5 },
      clock,
      train: (task) =>
        Promise.resolve(task.round === 0 ? failure : task.round === 1 ? "silence" : task.round === 3 ? notANumber(task) : answerOf(task)),
    });
    const running = runHosted(host, undefined, clock);
    await expect.poll(() => host.eventsOf("round-opened").length).toBe(2);
    await expect.poll(() => clock.timers).toEqual([1_005_000]);
    clock.turnTo(1_005_000);
    expect(await running).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-closed").map(({ contributors }) => contributors)).toEqual([[], [], ["site-3"], [], ["site-2"], ["site-3"]]);
    expect(await modelOf(host)).toEqual([9, 10, 11]);
    expect(host.calls).toContain("closeTask");
  });

  it("ends with the reason when no site can make a model", async () => {
    const host = await hostOf({ workflow: "Cyclic", args: { num_rounds: 2 }, train: () => Promise.resolve(failure) });
    expect((await runHosted(host)).exitStatus).not.toBe(0);
    expect(host.end).toMatchObject({
      error: { code: "runtime/quorum-lost", message: expect.stringMatching(/round 0 no site.*site-1, site-2, site-3.*broken/) as string },
    });
  });
});

describe("evaluation of models", () => {
  it("has every model evaluated at every site: the server's, then those that sites hand in", async () => {
    const host = await hostOf({ args: { num_rounds: 2, key_metric: "loss" }, more: [evaluation], train: inTurn });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    const opened = host.eventsOf("round-opened").filter(({ workflow }) => workflow === "evaluation");
    expect(opened.map(({ round, task, evaluates }) => [round, task, evaluates])).toEqual([
      [2, "submit_model", undefined],
      [3, "validate", "SRV_FL_global_model"],
      [4, "validate", "SRV_best_FL_global_model"],
      [5, "validate", "site-1"],
      [6, "validate", "site-2"],
      [7, "validate", "site-3"],
    ]);
    expect(opened.map(({ totalRounds }) => totalRounds)).toEqual([6, 6, 6, 6, 6, 6]);
    const [trained, end] = host.eventsOf("workflow-ended");
    expect(opened[0]?.model).toEqual(trained?.model);
    expect(end).toMatchObject({ model: trained?.model, reason: "5 models evaluated" });
    expect(
      host
        .eventsOf("update-accepted")
        .filter(({ round }) => round >= 3)
        .map(({ site, metrics }) => [site, metrics["first"]]),
    ).toEqual([
      ["site-1", expect.closeTo(1 + 2 * (14 / 6), 4)],
      ["site-2", expect.closeTo(1 + 2 * (14 / 6), 4)],
      ["site-3", expect.closeTo(1 + 2 * (14 / 6), 4)],
      ...[1, 2, 3].map((site) => [`site-${site}`, expect.closeTo(1, 4) as number]),
      ...[1, 2, 3].flatMap((owner) =>
        [1, 2, 3].map((site) => [`site-${site}`, expect.closeTo(1 + 2 * (14 / 6) + 100 * owner, 3) as number]),
      ),
    ]);
    expect(resultOf(host)).toEqual(trained?.model);
  });

  it("tells sites whose model it is", async () => {
    const owners: unknown[] = [];
    const host = await hostOf({
      workflow: "GlobalModelEval",
      args: { participating_clients: ["site-2"] },
      train: (task) => {
        owners.push([task.site, task.meta]);
        return inTurn(task);
      },
    });
    await runHosted(host);
    expect(owners).toEqual([["site-2", { model_owner: "SRV_FL_global_model" }]]);
    expect(host.end).toMatchObject({ reason: "1 model evaluated" });
  });

  it("goes on without models that cannot be used, and without sites that fail", async () => {
    const host = await hostOf({
      workflow: "CrossSiteEval",
      args: {},
      train: (task) => {
        if (task.task === "submit_model" && task.site === "site-1") return Promise.resolve(notANumber(task));
        if (task.task === "submit_model" && task.site === "site-2") return Promise.resolve(failure);
        return task.task === "validate" && task.site === "site-3" ? Promise.resolve(failure) : inTurn(task);
      },
    });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-opened").map(({ evaluates }) => evaluates)).toEqual([undefined, "SRV_FL_global_model", "site-3"]);
    expect(host.eventsOf("round-closed").map(({ contributors, missing }) => [contributors, missing])).toEqual([
      [["site-3"], ["site-1", "site-2"]],
      [["site-1", "site-2"], ["site-3"]],
      [["site-1", "site-2"], ["site-3"]],
    ]);
  });

  it("ends with the reason when no site has evaluated anything", async () => {
    const host = await hostOf({ workflow: "GlobalModelEval", args: {}, train: () => Promise.resolve(failure) });
    expect((await runHosted(host)).exitStatus).not.toBe(0);
    expect(host.end).toMatchObject({
      error: { code: "runtime/quorum-lost", message: expect.stringMatching(/No site has evaluated a model.*broken/) as string },
    });
  });
});

const failure: SiteAnswer = { error: { code: "client-api/trainer-died", message: "it is broken" } };

/** Trains as `answerOf` does, hands in the model with 100 times the site's number added, and measures the first element. */
async function inTurn(task: HostedTask, host?: MemoryJobHost): Promise<SiteAnswer> {
  const number = Number(task.site.slice(-1));
  if (host !== undefined) await isTurnOf(number, task.round, host);
  if (task.task === "train") return answerOf(task);
  const values = valuesOf(task.model);
  if (task.task === "submit_model") {
    return { bytes: model(values.map((value) => value + 100 * number)), paramsType: "FULL", weight: number, metrics: {} };
  }
  return { bytes: encodeSafetensors([]), paramsType: "FULL", weight: 1, metrics: { first: values[0] ?? Number.NaN } };
}

/** Sites that are asked together answer one after the other: the order of answers is part of what is compared. */
async function isTurnOf(number: number, round: number, host: MemoryJobHost): Promise<void> {
  if (host.eventsOf("round-opened").at(-1)?.sites.length === 1) return;
  while (answersIn(host, round).length < number - 1) await sleep(1);
}

function answersIn(host: MemoryJobHost, round: number): readonly JobEvent[] {
  return host.eventsOf("update-accepted").filter((event) => event.round === round);
}

function notANumber(task: HostedTask): SiteAnswer {
  return { bytes: model(valuesOf(task.model).map(() => Number.NaN)), paramsType: "FULL", weight: 1, metrics: {} };
}

function model(values: readonly number[]): Uint8Array {
  return encodeSafetensors([["w", { dtype: "F32", shape: [values.length], data: Float32Array.from(values) }]]);
}

async function hostOf(init: SmallJobInit): Promise<MemoryJobHost> {
  const host = await smallJob(init);
  folders.push(host.folder);
  return host;
}

function resultOf(host: MemoryJobHost) {
  if (host.end === undefined || !("model" in host.end)) throw new Error("the job did not finish");
  return host.end.model;
}

async function modelOf(host: MemoryJobHost): Promise<number[]> {
  return valuesOf(await host.read(resultOf(host)));
}
