import type { ResourceRequest } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { gpuNames } from "./gpu-names.js";
import { type JobResources, ResourcePool, type ResourceTurn } from "./resource-pool.js";

const gibibyte = 2 ** 30;
const nothing: ResourceRequest = { gpus: 0, memPerGpuGiB: 0, cpus: 0, memoryBytes: 0 };

const poolOf = ({ gpus = 0, cpus = 8, memoryBytes = 64 * gibibyte }): ResourcePool =>
  new ResourcePool({ site: "site-1", devices: gpuNames(gpus, undefined), memPerGpuGiB: 16, cpus, memoryBytes });

/** Asks for something, and shows what has become of it so far. */
function ask(turn: ResourceTurn, request: Partial<ResourceRequest>, signal = new AbortController().signal) {
  const seen: { has?: JobResources; failure?: unknown; waits?: string } = {};
  void turn
    .take({ ...nothing, ...request }, signal, (reason) => Object.assign(seen, { waits: reason }))
    .then(
      (has) => Object.assign(seen, { has }),
      (failure: unknown) => Object.assign(seen, { failure }),
    );
  return seen;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("what a site offers jobs", () => {
  it("belongs to one job at a time, and to the next when that leaves", async () => {
    const pool = poolOf({ gpus: 3 });
    const [first, second, third] = [pool.enter("a"), pool.enter("b"), pool.enter("c")];
    const asked = [ask(first, { gpus: 2, cpus: 5 }), ask(second, { gpus: 1 }), ask(third, { gpus: 2 })];
    await settled();
    expect(asked).toEqual([
      { has: { gpus: ["0", "1"], cpus: 5, memoryBytes: 0 } },
      { has: { gpus: ["2"], cpus: 0, memoryBytes: 0 } },
      { waits: "waits for 2 of 3 GPUs, behind job a, b" },
    ]);
    expect(pool.offer()).toEqual({
      gpus: { offered: 3, free: 0, memPerGpuGiB: 16 },
      forJobs: { cpus: 8, freeCpus: 3, memoryBytes: 64 * gibibyte, freeMemoryBytes: 64 * gibibyte },
    });
    first.leave();
    await settled();
    expect(asked[2]).toMatchObject({ has: { gpus: ["0", "1"] } });
    const again = await second.take({ ...nothing, gpus: 1 }, new AbortController().signal, () => undefined);
    expect(again.gpus).toEqual(["2"]);
    second.leave();
    expect(pool.offer()).toMatchObject({ gpus: { free: 1 }, forJobs: { freeCpus: 8 } });
  });

  it("is taken all at once: who lacks one thing holds nothing of the others", async () => {
    const pool = poolOf({ gpus: 1, cpus: 4, memoryBytes: 8 * gibibyte });
    const [first, second, third] = [pool.enter("a"), pool.enter("b"), pool.enter("c")];
    ask(first, { gpus: 1 });
    const waiting = ask(second, { gpus: 1, cpus: 4, memoryBytes: 8 * gibibyte });
    await settled();
    expect(waiting).toEqual({ waits: "waits for 1 of 1 GPU, behind job a" });
    expect(pool.offer().forJobs).toMatchObject({ freeCpus: 4, freeMemoryBytes: 8 * gibibyte });
    const behind = ask(third, { cpus: 1, memoryBytes: gibibyte });
    await settled();
    expect(behind).toEqual({ waits: "waits for 1 of 4 CPUs and 1 GiB of 8 GiB of memory, behind job b" });
    first.leave();
    await settled();
    expect(waiting.has).toEqual({ gpus: ["0"], cpus: 4, memoryBytes: 8 * gibibyte });
    expect(behind.has).toBeUndefined();
    second.leave();
    await settled();
    expect(behind.has).toEqual({ gpus: [], cpus: 1, memoryBytes: gibibyte });
  });

  it("is waited for with the reason that holds now", async () => {
    const pool = poolOf({ cpus: 1 });
    const turns = ["a", "b", "c", "d", "e"].map((who) => pool.enter(who));
    const asked = turns.map((turn) => ask(turn, { cpus: 1 }));
    await settled();
    expect(asked[4]?.waits).toBe("waits for 1 of 1 CPU, behind job a, b, c and 1 more");
    turns[0]?.leave();
    turns[2]?.leave();
    expect(asked[4]?.waits).toBe("waits for 1 of 1 CPU, behind job b, d");
  });

  it("is given in the order in which jobs came, whoever knows first what it needs", async () => {
    const pool = poolOf({ cpus: 1 });
    const [first, second] = [pool.enter("a"), pool.enter("b")];
    const later = ask(second, { cpus: 1 });
    await settled();
    expect(later).toEqual({ waits: "waits for 1 of 1 CPU, behind job a" });
    const sooner = ask(first, { cpus: 1 });
    await settled();
    expect([sooner.has?.cpus, later.has]).toEqual([1, undefined]);
  });

  it("is given at once to a job that wants nothing of what those before it wait for", async () => {
    const pool = poolOf({ gpus: 1, cpus: 4 });
    const turns = ["a", "b", "c"].map((who) => pool.enter(who));
    const [holder, waiter, other] = turns as [ResourceTurn, ResourceTurn, ResourceTurn];
    ask(holder, { gpus: 1 });
    const waiting = ask(waiter, { gpus: 1, memoryBytes: gibibyte });
    const passing = ask(other, { cpus: 4 });
    await settled();
    expect([waiting.has, passing.has?.cpus]).toEqual([undefined, 4]);
  });

  it("is not waited for by jobs that need none, nor behind jobs that need none or do not come", async () => {
    const pool = poolOf({ cpus: 1 });
    const turns = ["a", "b", "c", "d"].map((who) => pool.enter(who));
    const [none, gone, stopped, last] = turns as [ResourceTurn, ResourceTurn, ResourceTurn, ResourceTurn];
    const abort = new AbortController();
    const asked = [ask(none, {}), ask(stopped, { cpus: 1 }, abort.signal), ask(last, { cpus: 1 })];
    await settled();
    expect(asked.map(({ has }) => has?.cpus)).toEqual([0, undefined, undefined]);
    abort.abort(new Error("the job is over"));
    gone.leave();
    stopped.leave();
    await settled();
    expect(asked.map(({ has }) => has?.cpus)).toEqual([0, undefined, 1]);
    expect(asked[1]?.failure).toMatchObject({ message: "the job is over" });
  });

  it.each<[Partial<ResourceRequest>, string]>([
    [{ gpus: 3 }, "The job asks site-1 for 3 GPUs with 0 GiB each (it offers 2 with 16 GiB)."],
    [{ gpus: 1, memPerGpuGiB: 40 }, "The job asks site-1 for 1 GPU with 40 GiB each (it offers 2 with 16 GiB)."],
    [
      { gpus: 2, cpus: 9, memoryBytes: 65 * gibibyte },
      "The job asks site-1 for 9 CPUs (it offers 8) and 65 GiB of memory (it offers 64 GiB).",
    ],
  ])("is refused at once where there never is so much: %j", async (request, message) => {
    const turn = poolOf({ gpus: 2 }).enter("a");
    const taken = turn.take({ ...nothing, ...request }, new AbortController().signal, () => undefined);
    await expect(taken).rejects.toMatchObject({ code: "job/resources-lacking", message });
  });
});
