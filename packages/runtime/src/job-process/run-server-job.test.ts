import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { JournalEntry } from "../job/job-event.js";
import { ManualClock } from "../workflow/manual-clock.test-support.js";
import type { MemoryJobHost, MemoryJobHostInit } from "./memory-job-host.test-support.js";
import { decisionsOf, runHosted as run } from "./run-hosted.test-support.js";
import { answerOf, finalHash, modelBytes, type SmallJobInit, smallJob, valuesOf } from "./small-job.test-support.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

describe("a whole job", () => {
  it("is run to its end, with two journal entries of the workflow per round", async () => {
    const host = await hostOf({ args: { num_rounds: 3 } });
    expect(await run(host)).toEqual({ exitStatus: 0 });
    expect(
      host.eventsOf("round-closed").map(({ round, contributors, missing, bytes }) => ({ round, contributors, missing, bytes })),
    ).toEqual(
      [0, 1, 2].map((round) => ({ round, contributors: ["site-1", "site-2", "site-3"], missing: [], bytes: expect.any(Number) as number })),
    );
    expect(host.end).toMatchObject({ reason: "all 3 rounds are done" });
    expect(host.calls.filter((call) => call.startsWith("append"))).toEqual([
      ...Array.from({ length: 3 }, () => ["append round-opened", "append round-closed"]).flat(),
      "append workflow-ended",
    ]);
    // No site is left to be told: nothing is closed.
    expect(host.calls).not.toContain("closeTask");
  });

  it("makes the weighted mean of what the sites send", async () => {
    const host = await hostOf({ args: { num_rounds: 1, aggregation_weights: { "site-3": 2 } } });
    await run(host);
    // Weights 1, 2 and 2 * 3; each site adds its number to each element.
    const mean = (1 * 1 + 2 * 2 + 6 * 3) / 9;
    expect(await modelOf(host)).toEqual([1, 2, 3].map((value) => Math.fround(value + mean)));
    expect(host.eventsOf("round-closed")[0]?.metrics).toEqual({ loss: (1 * 1 + 2 * 2 + 6 * 3) / 9 });
  });

  it("adds the mean difference to the model where sites send differences", async () => {
    const full = await hostOf({ args: { num_rounds: 3 } });
    const difference = await hostOf({ args: { num_rounds: 3 }, train: (task) => Promise.resolve(answerOf(task, "DIFF")) });
    await run(full);
    await run(difference);
    const wanted = await modelOf(full);
    // Both are rounded to F32 in each round, in another place: 1e-6 is two units in the last place of 10.
    for (const [index, value] of (await modelOf(difference)).entries()) expect(Math.abs(value - (wanted[index] ?? 0))).toBeLessThan(1e-6);
  });

  it("takes whole models and differences in one round, with the same bytes in whatever order they come", async () => {
    const hashes = new Set<string>();
    for (const order of [
      ["site-1", "site-2", "site-3"],
      ["site-3", "site-2", "site-1"],
    ]) {
      const next = inOrder(order);
      const host = await hostOf({
        args: { num_rounds: 2 },
        train: async (task, context) => {
          await next(task, context);
          return answerOf(task, task.site === "site-2" ? "DIFF" : "FULL");
        },
      });
      expect(await run(host)).toEqual({ exitStatus: 0 });
      hashes.add(finalHash(host));
      const mean = (1 * 1 + 2 * 2 + 3 * 3) / 6;
      // Differences of float32 are rounded once more than whole models: 1e-5 is ten units in the last place at 10.
      for (const [i, value] of (await modelOf(host)).entries()) expect(Math.abs(value - (i + 1 + 2 * mean))).toBeLessThan(1e-5);
      expect(await readdir(join(host.workspace, "aggregates"))).toEqual([]);
    }
    expect(hashes.size).toBe(1);
  });

  it("gives the same bytes in whatever order sites answer", async () => {
    const hashes = new Set<string>();
    for (const order of [
      ["site-1", "site-2", "site-3"],
      ["site-3", "site-1", "site-2"],
      ["site-2", "site-3", "site-1"],
    ]) {
      const host = await hostOf({ args: { num_rounds: 2 }, train: inOrder(order) });
      await run(host);
      expect(host.eventsOf("update-accepted").map(({ site }) => site)).toEqual([...order, ...order]);
      hashes.add(finalHash(host));
    }
    expect(hashes.size).toBe(1);
  });

  it.each([
    ["fed-avg", {}],
    ["fed-adam, which keeps state", { strategy: "fed-adam", strategy_args: { learningRate: 0.1 } }],
  ])("gives the same bytes when its process is killed at any entry of the journal, before or after it is written: %s", async (_, more) => {
    const args = { num_rounds: 2, key_metric: "loss", negate_key_metric: true, ...more };
    const undisturbed = await hostOf({ args });
    await run(undisturbed);
    expect(undisturbed.eventsOf("best-model")).toHaveLength(1);
    const count = undisturbed.entries.length;
    for (let seq = 1; seq <= count; seq++) {
      for (const when of ["before", "after"] as const) {
        const host = await hostOf({ args });
        expect(await run(host, { seq, when }), `killed ${when} ${seq}`).toEqual({ exitStatus: 0 });
        expect(finalHash(host), `killed ${when} ${seq}`).toBe(finalHash(undisturbed));
        expect(decisionsOf(host.entries), `killed ${when} ${seq}`).toEqual(decisionsOf(undisturbed.entries));
      }
    }
  });

  it("combines updates by the strategy that the job names", async () => {
    const host = await hostOf({ args: { num_rounds: 1, strategy: "median" } });
    await run(host);
    expect(await modelOf(host)).toEqual([3, 4, 5]);
    expect(host.eventsOf("round-closed")).toMatchObject([{ strategy: "median", state: {} }]);
  });

  it("hands on what a strategy keeps from round to round", async () => {
    const args = { num_rounds: 2, strategy: "fed-avg-m", strategy_args: { momentum: 0.5 } };
    const host = await hostOf({ args });
    await run(host);
    // The mean change is 14/6 in each round: m is 14/6, then 0.5 * 14/6 + 14/6. 1e-5 is ten units in the last place of F32 at 10.
    for (const [i, value] of (await modelOf(host)).entries()) expect(Math.abs(value - (i + 1 + 2.5 * (14 / 6)))).toBeLessThan(1e-5);
    const states = host.eventsOf("round-closed").map(({ state }) => state ?? {});
    expect(states.map((state) => Object.keys(state))).toEqual([["momentum"], ["momentum"]]);
    expect(states[0]).not.toEqual(states[1]);
    expect(await readdir(join(host.workspace, "aggregates"))).toEqual([]);
  });

  it.each([
    ["is not in the journal", (entry: JournalEntry) => withoutState(entry), "aggregate/state-invalid"],
    ["is another strategy's", (entry: JournalEntry, host: MemoryJobHost) => withForeignState(entry, host), "aggregate/state-invalid"],
  ])("fails when the state of the round before %s", async (_what, change, code) => {
    const host = await hostOf({
      args: { num_rounds: 2, strategy: "fed-avg-m" },
      train: (task, { entries }) => {
        if (task.round === 1) entries.splice(0, entries.length, ...entries.map((entry) => change(entry, host)));
        return Promise.resolve(answerOf(task));
      },
    });
    // The process that comes after the first answer of round 1 reads the journal anew.
    await run(host, { seq: 7, when: "after" });
    expect(host.end).toMatchObject({ error: { code } });
  });

  it("tells trainers of the proximal term, and of a first round that is not 0", async () => {
    const metas: unknown[] = [];
    const host = await hostOf({
      args: { num_rounds: 1, fedprox_mu: 0.25, start_round: 5 },
      train: (task) => {
        metas.push(task.meta);
        return Promise.resolve(answerOf(task));
      },
    });
    await run(host);
    expect(metas).toEqual(Array.from({ length: 3 }, () => ({ fedprox_mu: 0.25, start_round: 5 })));
    expect(host.eventsOf("round-closed")).toMatchObject([{ strategy: "fed-prox" }]);
  });

  it("closes a round at quorum and deadline without a site that never answers, and tells it so", async () => {
    const clock = new ManualClock(1_000_000);
    const host = await hostOf({
      args: { num_rounds: 1, min_clients: 2, wait_time_after_min_received: 5 },
      clock,
      train: (task) => Promise.resolve(task.site === "site-2" ? "silence" : answerOf(task)),
    });
    const running = run(host, undefined, clock);
    await expect.poll(() => clock.timers).toEqual([1_005_000]);
    expect(host.eventsOf("round-closed")).toEqual([]);
    clock.turnTo(1_005_000);
    expect(await running).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-closed")[0]).toMatchObject({ contributors: ["site-1", "site-3"], missing: ["site-2"] });
    expect(host.calls).toContain("closeTask");
    expect(clock.timers).toEqual([]);
  });

  it("waits no longer than the deadline is long when the clock was set back by an hour since the round was opened", async () => {
    const [before, after] = [new ManualClock(4_600_000), new ManualClock(1_000_000)];
    const host = await hostOf({
      args: { num_rounds: 1, min_clients: 2, wait_time_after_min_received: 5 },
      clock: before,
      train: (task) => Promise.resolve(task.site === "site-2" ? "silence" : answerOf(task)),
    });
    const running = run(host, undefined, after);
    await expect.poll(() => after.timers).toEqual([1_005_000]);
    after.turnTo(1_005_000);
    expect(await running).toEqual({ exitStatus: 0 });
  });

  it("goes on without a site whose update cannot be used, and says why", async () => {
    const host = await hostOf({
      args: { num_rounds: 1, min_clients: 2 },
      train: (task) =>
        Promise.resolve(task.site === "site-2" ? { ...answerOf(task), bytes: modelBytes([Number.NaN, 0, 0]) } : answerOf(task)),
    });
    expect(await run(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("task-failed")).toMatchObject([{ site: "site-2", error: { code: "aggregate/not-finite" } }]);
    expect(host.eventsOf("round-closed")[0]).toMatchObject({ contributors: ["site-1", "site-3"], missing: ["site-2"] });
  });

  it("runs no clock any more when an update that made the quorum turns out to be unusable", async () => {
    const clock = new ManualClock(1_000_000);
    const slow = Promise.withResolvers<void>();
    const host = await hostOf({
      args: { num_rounds: 1, min_clients: 2, wait_time_after_min_received: 5 },
      clock,
      train: async (task) => {
        if (task.site === "site-3") await slow.promise;
        return task.site === "site-2" ? { ...answerOf(task), bytes: modelBytes([Number.NaN, 0, 0]) } : answerOf(task);
      },
    });
    const running = run(host, undefined, clock);
    await expect.poll(() => host.eventsOf("task-failed")).toHaveLength(1);
    await expect.poll(() => clock.timers).toEqual([]);
    slow.resolve();
    expect(await running).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("round-closed")[0]).toMatchObject({ contributors: ["site-1", "site-3"], missing: ["site-2"] });
  });

  it("takes no model for the best one whose loss is beyond all numbers once it is weighted", async () => {
    const host = await hostOf({
      args: { num_rounds: 2, key_metric: "loss", negate_key_metric: true },
      train: (task) => Promise.resolve({ ...answerOf(task), metrics: { loss: task.round === 0 ? 1e308 : 5 } }),
    });
    expect(await run(host)).toEqual({ exitStatus: 0 });
    expect(host.eventsOf("best-model").map(({ round, value }) => [round, Math.round(Math.log10(value))])).toEqual([
      [0, 308],
      [1, 1],
    ]);
  });

  it("ends with the sites and the first error when too many fail", async () => {
    const error = { code: "client-api/none", message: "CUDA is out of memory" };
    const host = await hostOf({
      args: { min_clients: 2 },
      train: (task) => Promise.resolve(task.site === "site-1" ? answerOf(task) : { error }),
    });
    const end = await run(host);
    expect(end.exitStatus).toBe(101);
    expect(host.end).toMatchObject({
      error: { code: "runtime/quorum-lost", message: expect.stringContaining("CUDA is out of memory") as string },
    });
  });

  it("stops when the job is ended from outside", async () => {
    const host = await hostOf({ args: {}, train: () => Promise.resolve("silence") });
    const running = run(host);
    await expect.poll(() => host.calls).toContain("assign");
    host.add({ type: "job-ended", status: "FINISHED:ABORTED", reason: "aborted by lead@hospital.org" });
    expect(await running).toEqual({ exitStatus: 9 });
    expect(host.end).toBeUndefined();
  });

  it("fails with file and line when the configuration has a mistake", async () => {
    const host = await hostOf({ args: { num_rounds: 0 } });
    expect((await run(host)).exitStatus).toBe(103);
    expect(host.end).toMatchObject({
      error: { code: "job/invalid", problems: [{ file: expect.stringContaining("config_fed_server.json") as string, line: 1 }] },
    });
  });

  it("fails when there is no initial model", async () => {
    const host = await hostOf({ args: { initial_model: "nowhere.safetensors" } });
    expect((await run(host)).exitStatus).toBe(103);
    expect(host.end).toMatchObject({ error: { code: "file/not-found" } });
  });
});

async function hostOf(init: SmallJobInit): Promise<MemoryJobHost> {
  const host = await smallJob(init);
  folders.push(host.folder);
  return host;
}

/** Sites answer one after the other, in this order in each round. */
function inOrder(order: readonly string[]): MemoryJobHostInit["train"] {
  return async (task, host) => {
    await expect
      .poll(() => host.eventsOf("update-accepted").filter(({ round }) => round === task.round).length, { interval: 1 })
      .toBe(order.indexOf(task.site));
    return answerOf(task);
  };
}

async function modelOf(host: MemoryJobHost): Promise<number[]> {
  if (host.end === undefined || !("model" in host.end)) throw new Error("the job did not finish");
  return valuesOf(await host.read(host.end.model));
}

function withoutState(entry: JournalEntry): JournalEntry {
  if (entry.event.type !== "round-closed") return entry;
  const { state: _state, ...event } = entry.event;
  return { ...entry, event };
}

/** The model in the place of the state: a file of tensors, but nobody's state. */
function withForeignState(entry: JournalEntry, host: MemoryJobHost): JournalEntry {
  if (entry.event.type !== "round-closed") return entry;
  const [opened] = host.eventsOf("round-opened");
  return { ...entry, event: { ...entry.event, state: { momentum: opened?.model ?? entry.event.model } } };
}
