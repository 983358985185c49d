import { describe, expect, it } from "vitest";
import { GpuPool, type GpuTurn, gpuNames } from "./gpu-pool.js";

const poolOf = (gpus: number): GpuPool => new GpuPool({ site: "site-1", devices: gpuNames(gpus, undefined), memPerGpuGiB: 16 });

/** Asks for GPUs, and shows what has become of it so far. */
function ask(turn: GpuTurn, gpus: number, signal = new AbortController().signal) {
  const seen: { devices?: readonly string[]; failure?: unknown; waits?: string } = {};
  void turn
    .take({ gpus, memPerGpuGiB: 0 }, signal, (reason) => Object.assign(seen, { waits: reason }))
    .then(
      (devices) => Object.assign(seen, { devices }),
      (failure: unknown) => Object.assign(seen, { failure }),
    );
  return seen;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("GPUs of a site", () => {
  it("belong to one job at a time, and to the next when that leaves", async () => {
    const pool = poolOf(3);
    const [first, second, third] = [pool.enter("a"), pool.enter("b"), pool.enter("c")];
    const asked = [ask(first, 2), ask(second, 1), ask(third, 2)];
    await settled();
    expect(asked).toEqual([{ devices: ["0", "1"] }, { devices: ["2"] }, { waits: "waits for 2 of 3 GPUs, behind job a, b" }]);
    expect(pool.offer()).toEqual({ offered: 3, free: 0, memPerGpuGiB: 16 });
    first.leave();
    await settled();
    expect(asked[2]).toMatchObject({ devices: ["0", "1"] });
    expect(await second.take({ gpus: 1, memPerGpuGiB: 0 }, new AbortController().signal, () => undefined)).toEqual(["2"]);
    second.leave();
    expect(pool.offer().free).toBe(1);
  });

  it("are waited for with the reason that holds now", async () => {
    const pool = poolOf(1);
    const turns = ["a", "b", "c", "d", "e"].map((who) => pool.enter(who));
    const asked = turns.map((turn) => ask(turn, 1));
    await settled();
    expect(asked[4]?.waits).toBe("waits for 1 of 1 GPUs, behind job a, b, c and 1 more");
    turns[0]?.leave();
    turns[2]?.leave();
    expect(asked[4]?.waits).toBe("waits for 1 of 1 GPUs, behind job b, d");
  });

  it("are given in the order in which jobs came, whoever knows first what it needs", async () => {
    const pool = poolOf(1);
    const [first, second] = [pool.enter("a"), pool.enter("b")];
    const later = ask(second, 1);
    await settled();
    expect(later.devices).toBeUndefined();
    const sooner = ask(first, 1);
    await settled();
    expect([sooner.devices, later.devices]).toEqual([["0"], undefined]);
  });

  it("are not waited for by jobs that need none, nor behind jobs that need none or do not come", async () => {
    const pool = poolOf(1);
    const turns = ["a", "b", "c", "d"].map((who) => pool.enter(who));
    const [none, gone, stopped, last] = turns as [GpuTurn, GpuTurn, GpuTurn, GpuTurn];
    const abort = new AbortController();
    const asked = [ask(none, 0), ask(stopped, 1, abort.signal), ask(last, 1)];
    await settled();
    expect(asked.map(({ devices }) => devices)).toEqual([[], undefined, undefined]);
    abort.abort(new Error("the job is over"));
    gone.leave();
    stopped.leave();
    await settled();
    expect(asked.map(({ devices }) => devices)).toEqual([[], undefined, ["0"]]);
    expect(asked[1]?.failure).toMatchObject({ message: "the job is over" });
  });

  it.each([
    [{ gpus: 3, memPerGpuGiB: 0 }, /3 with 0 GiB each; it offers 2 with 16 GiB/],
    [{ gpus: 1, memPerGpuGiB: 40 }, /1 with 40 GiB each/],
  ])("are refused at once where there never are so many: %j", async (request, message) => {
    const turn = poolOf(2).enter("a");
    await expect(turn.take(request, new AbortController().signal, () => undefined)).rejects.toMatchObject({
      code: "job/resources-lacking",
      message: expect.stringMatching(message),
    });
  });

  it("have the names that the site's own environment leaves to it", () => {
    expect(gpuNames(2, undefined)).toEqual(["0", "1"]);
    expect(gpuNames(2, "4, GPU-8f2c,7")).toEqual(["4", "GPU-8f2c"]);
    expect(gpuNames(2, "3")).toEqual(["3"]);
    expect(gpuNames(2, "")).toEqual([]);
    expect(gpuNames(2, "-1")).toEqual([]);
    expect(gpuNames(3, "0,-1,1")).toEqual(["0"]);
    expect(gpuNames(3, "1,1,2")).toEqual(["1", "2"]);
  });
});
