import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { HierarchicalStatistics } from "../statistics/hierarchical-result.js";
import { pooled, siteOf, values } from "../statistics/local-statistics.test-support.js";
import { siteStatisticsDocument } from "../statistics/site-statistics.js";
import { encodeStatistics, readStatistics } from "../statistics/statistics-file.js";
import type { StatisticsResult } from "../statistics/statistics-result.js";
import { ManualClock } from "../workflow/manual-clock.test-support.js";
import { emptyModel } from "../workflow/statistics-rounds.js";
import type { HostedTask, MemoryJobHost, SiteAnswer } from "./memory-job-host.test-support.js";
import { decisionsOf, runHosted } from "./run-hosted.test-support.js";
import { answerOf, type SmallJobInit, smallJob } from "./small-job.test-support.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

const own: Readonly<Record<string, readonly number[]>> = {
  "site-1": values(30, 1, 10),
  "site-2": values(40, 2, 20),
  "site-3": values(50, 3, 30),
};
const statistic_configs = { count: {}, mean: {}, stddev: {}, histogram: { "*": { bins: 4 } } };
const failure: SiteAnswer = { error: { code: "client-api/trainer-died", message: "it is broken" } };

describe("a job of statistics", () => {
  it("asks twice, and tells in the end what all sites come to, in FLARE's form", async () => {
    const host = await hostOf({ args: { statistic_configs } });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-opened").map(({ round, task, asks, totalRounds }) => [round, task, asks, totalRounds])).toEqual([
      [0, "fed_stats", "statistics", 2],
      [1, "fed_stats", "statistics", 2],
    ]);
    const every = pooled(Object.values(own).flat());
    expect(await resultOf(host)).toMatchObject({
      x: {
        count: { "site-1": { d: 30 }, "site-2": { d: 40 }, "site-3": { d: 50 }, Global: { d: 120 } },
        mean: { Global: { d: expect.closeTo(every.mean, 4) } },
        stddev: { Global: { d: expect.closeTo(every.stddev, 4) } },
      },
    });
    expect(host.end).toEqual({ model: emptyModel, reason: "statistics of 3 sites" });
    expect(host.eventsOf("round-closed")[1]?.statistics?.path).toBe("statistics/controller.json");
  });

  it("asks once where nothing needs a second pass", async () => {
    const host = await hostOf({ args: { statistic_configs: { count: {}, max: {} } } });
    await runHosted(host);
    expect(host.eventsOf("round-opened")).toHaveLength(1);
    expect((await resultOf(host))["x"]?.max?.["Global"]).toEqual({ d: expect.closeTo(pooled(Object.values(own).flat()).max, 4) });
  });

  it("tells sites of each other no more than what all come to", async () => {
    const requests: unknown[] = [];
    const host = await hostOf({
      args: { statistic_configs },
      train: async (task) => {
        if (task.site === "site-1") requests.push(await requestOf(task));
        return answer(task);
      },
    });
    await runHosted(host);
    const [first, second] = requests;
    expect(first).toEqual({
      version: 1,
      pass: 1,
      pre_run: true,
      statistics: ["count", "mean", "stddev", "histogram"],
      histogram: { "*": { bins: 4 } },
      quantile: {},
    });
    const every = pooled(Object.values(own).flat());
    expect(second).toMatchObject({
      pass: 2,
      features: [{ dataset: "d", feature: "x", count: 120, mean: expect.closeTo(every.mean), bins: 4, low: every.min, high: every.max }],
    });
  });

  it("goes on without a site that fails, or whose answer is none, as long as there are enough", async () => {
    const host = await hostOf({
      args: { statistic_configs, min_clients: 1 },
      train: (task) => {
        if (task.round === 0 && task.site === "site-1") return Promise.resolve(failure);
        if (task.round === 1 && task.site === "site-2") {
          return Promise.resolve({ bytes: encodeStatistics({ patients: ["Jane Doe"] }), paramsType: "FULL", weight: 1, metrics: {} });
        }
        return answer(task);
      },
    });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-opened").map(({ sites }) => sites)).toEqual([
      ["site-1", "site-2", "site-3"],
      ["site-2", "site-3"],
    ]);
    expect(host.eventsOf("task-failed").map(({ site, error }) => [site, error.code])).toEqual([
      ["site-1", "client-api/trainer-died"],
      ["site-2", "client-api/result-invalid"],
    ]);
    expect((await resultOf(host))["x"]?.mean).toEqual({
      "site-3": { d: expect.closeTo(pooled(own["site-3"] ?? []).mean, 4) },
      Global: { d: expect.closeTo(pooled(own["site-3"] ?? []).mean, 4) },
    });
  });

  it("ends with the reason where too few sites answer; all must by default", async () => {
    const host = await hostOf({
      args: { statistic_configs },
      train: (task) => (task.site === "site-2" ? Promise.resolve(failure) : answer(task)),
    });
    expect((await runHosted(host)).exitStatus).not.toBe(0);
    expect(host.end).toMatchObject({
      error: { code: "runtime/quorum-lost", message: expect.stringMatching(/need 3 sites, and only 2 are left.*it is broken/) as string },
    });
  });

  it("stops waiting for a site at its time-out", async () => {
    const clock = new ManualClock(1_000_000);
    const host = await hostOf({
      args: { statistic_configs: { count: {} }, min_clients: 2, timeout: 5 },
      clock,
      train: (task) => (task.site === "site-3" ? Promise.resolve("silence") : answer(task)),
    });
    const running = runHosted(host, undefined, clock);
    await expect.poll(() => host.eventsOf("update-accepted").length).toBe(2);
    await expect.poll(() => clock.timers).toEqual([1_005_000]);
    clock.turnTo(1_005_000);
    expect(await running).toEqual({ exitStatus: 0 });
    expect(host.end).toMatchObject({ reason: "statistics of 2 sites" });
  });

  it.each([
    ["alone", { workflow: "StatisticsController", args: { statistic_configs, initial_model: null } }],
    [
      "before and after training",
      {
        workflow: "StatisticsController",
        args: { statistic_configs, initial_model: null },
        more: [
          { id: "train", path: "FedAvg", args: { num_rounds: 1, initial_model: "model.safetensors" } },
          { id: "again", path: "StatisticsController", args: { statistic_configs } },
          { id: "more", path: "FedAvg", args: { num_rounds: 1 } },
        ],
      },
    ],
  ] satisfies [string, SmallJobInit][])("gives the same when its process is killed at any entry of the journal: %s", async (_, job) => {
    const init: SmallJobInit = { ...job, train: inTurn };
    const undisturbed = await made(init);
    await runHosted(undisturbed);
    expect(undisturbed.end).toHaveProperty("model");
    for (let seq = 1; seq <= undisturbed.entries.length; seq++) {
      for (const when of ["before", "after"] as const) {
        const host = await made(init);
        expect(await runHosted(host, { seq, when }), `killed ${when} ${seq}`).toEqual({ exitStatus: 0 });
        expect(host.end, `killed ${when} ${seq}`).toEqual(undisturbed.end);
        expect(decisionsOf(host.entries), `killed ${when} ${seq}`).toEqual(decisionsOf(undisturbed.entries));
      }
    }
  });

  it("by a hierarchy asks the same, and tells what each level comes to, also when its process is killed", async () => {
    const hierarchy = { countries: [{ Name: "north", hospitals: ["site-1", "site-3"] }, "site-2"] };
    const args = { statistic_configs, hierarchy_config: "levels.json", initial_model: null };
    const init: SmallJobInit = { workflow: "HierarchicalStatisticsController", args, train: inTurn };
    const undisturbed = await made(init, hierarchy);
    expect(await runHosted(undisturbed)).toEqual({ exitStatus: 0 });
    const result = JSON.parse(await resultText(undisturbed)) as HierarchicalStatistics;
    const north = pooled([...(own["site-1"] ?? []), ...(own["site-3"] ?? [])]);
    const of = ({ count, mean, stddev }: ReturnType<typeof pooled>) => ({
      count: { d: { x: count } },
      mean: { d: { x: expect.closeTo(mean, 4) as number } },
      stddev: { d: { x: expect.closeTo(stddev, 4) as number } },
    });
    const each = (site: string) => ({ Name: site, Local: of(pooled(own[site] ?? [])) });
    expect(result).toMatchObject({
      Global: of(pooled(Object.values(own).flat())),
      countries: [{ Name: "north", hospitals: [each("site-1"), each("site-3")], Global: of(north) }, each("site-2")],
    });
    const flat = await hostOf({ args: { statistic_configs }, train: inTurn });
    await runHosted(flat);
    const asked = (host: MemoryJobHost) => host.eventsOf("round-opened").map(({ model, sites }) => ({ model, sites }));
    expect(asked(undisturbed)).toEqual(asked(flat));
    for (let seq = 1; seq <= undisturbed.entries.length; seq++) {
      const host = await made(init, hierarchy);
      expect(await runHosted(host, { seq, when: "after" }), `killed after ${seq}`).toEqual({ exitStatus: 0 });
      expect(decisionsOf(host.entries), `killed after ${seq}`).toEqual(decisionsOf(undisturbed.entries));
    }
  });

  it("ends before anybody is asked where one of its sites is in no level", async () => {
    const args = { statistic_configs, hierarchy_config: "levels.json", initial_model: null };
    const host = await made({ workflow: "HierarchicalStatisticsController", args, train: answer }, { hospitals: ["site-1", "site-3"] });
    const { error } = await runHosted(host);
    expect(error).toMatchObject({ code: "job/invalid" });
    expect(error?.message).toMatch(/^config\/levels\.json:1: 'site-2' of the sites that take part is in no level; put it into one\.$/);
    expect(host.entries.filter(({ event }) => event.type === "round-opened")).toEqual([]);
  });

  it("leaves the model of the workflow before as it is", async () => {
    const host = await made({
      args: { num_rounds: 1 },
      more: [{ id: "stats", path: "StatisticsController", args: { statistic_configs } }],
      train: inTurn,
    });
    await runHosted(host);
    const [trained, ended] = host.eventsOf("workflow-ended");
    expect(ended?.model).toEqual(trained?.model);
    expect(host.end).toMatchObject({ model: trained?.model });
  });
});

async function requestOf({ model }: HostedTask): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "flare-request-"));
  folders.push(folder);
  const path = join(folder, "request.safetensors");
  await writeFile(path, model);
  return readStatistics(path);
}

interface Request {
  readonly pass: 1 | 2;
  readonly features?: readonly { count: number; mean: number; bins: number; low: number; high: number }[];
}

/** A site's own numbers, in the form of a task of statistics. */
async function answer(task: HostedTask): Promise<SiteAnswer> {
  const { pass, features = [] } = (await requestOf(task)) as Request;
  const site = siteOf(own[task.site] ?? []);
  const { digest: _, ...first } = site.first;
  const [told] = features;
  const second =
    told === undefined
      ? []
      : [site.second({ ...told, dataset: "d", feature: "x", bins: { count: told.bins, low: told.low, high: told.high } })];
  const document = siteStatisticsDocument({ pass, features: pass === 1 ? [first] : second });
  return { bytes: encodeStatistics(document), paramsType: "DIFF", weight: 1, metrics: {} };
}

/** Sites answer one after the other: the order of answers is part of what is compared. */
async function inTurn(task: HostedTask, host?: MemoryJobHost): Promise<SiteAnswer> {
  const number = Number(task.site.slice(-1));
  while ((host?.eventsOf("update-accepted").filter(({ round }) => round === task.round).length ?? number) < number - 1) await sleep(1);
  return task.task === "fed_stats" ? answer(task) : answerOf(task);
}

async function resultText(host: MemoryJobHost): Promise<string> {
  const file = host.eventsOf("round-closed").at(-1)?.statistics;
  if (file === undefined) throw new Error("there is no result");
  return (await host.read(file)).toString("utf8");
}

async function resultOf(host: MemoryJobHost): Promise<StatisticsResult> {
  return JSON.parse(await resultText(host)) as StatisticsResult;
}

async function hostOf(init: SmallJobInit): Promise<MemoryJobHost> {
  return made({ train: answer, ...init, workflow: "StatisticsController", args: { initial_model: null, ...init.args } });
}

async function made(init: SmallJobInit, hierarchy?: unknown): Promise<MemoryJobHost> {
  const host = await smallJob(init);
  folders.push(host.folder);
  if (hierarchy !== undefined) await writeFile(join(host.workspace, "app_server", "config", "levels.json"), JSON.stringify(hierarchy));
  return host;
}
