import type { FlareError } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../workflow/manual-clock.test-support.js";
import { objectNumber, updateOf } from "../workflow/round-plan.test-support.js";
import { type Attachment, TaskWatch } from "./task-watch.js";

class ManualStallClock extends ManualClock {
  date(): number {
    return Date.UTC(2026, 0, 1) + this.now();
  }
}

/** A job with sites `a` and `b`, whose first round opens at 0. */
class Watched {
  readonly clock = new ManualStallClock(0);
  readonly gone = new Map<string, Attachment>();
  readonly given: { readonly site: string; readonly error: FlareError }[] = [];
  readonly watch = new TaskWatch(
    { clock: this.clock, attachmentOf: (site) => this.gone.get(site) ?? { isAttached: true } },
    { stallMs: 60_000, lookMs: 5_000, onStalled: (site, _task, error) => this.given.push({ site, error }) },
  );

  constructor() {
    this.watch.note({ type: "round-opened", round: 0, task: "train", model: objectNumber(0), sites: ["a", "b"], totalRounds: 1 });
  }

  turnTo(atMs: number): void {
    while (this.clock.now() < atMs) {
      this.clock.turnTo(Math.min(atMs, this.clock.now() + 5_000));
      this.watch.look();
    }
  }

  hear(site: string, phase: string, done = 0, total = 0, reason = "", stillMs = 0): void {
    this.watch.hear(site, 0, { phase, done, total, reason, stillMs, atMs: 0 });
  }
}

describe("the tasks of a job", () => {
  it("are watched beyond their round where sites do not wait for each other, until it is too old", () => {
    const job = new Watched();
    const opened = (round: number, sites: readonly string[], oldestBase: number): void =>
      job.watch.note({
        type: "round-opened",
        round,
        task: "train",
        model: objectNumber(round),
        sites,
        totalRounds: 9,
        buffered: { oldestBase, updates: 1 },
      });
    for (const site of ["a", "b", "c"]) job.gone.set(site, { isAttached: false, sinceMs: 0, reason: "" });
    opened(1, ["a", "b", "c"], 1);
    job.watch.note({ ...updateOf("a", 1), site: "a" });
    job.watch.note({
      type: "round-closed",
      round: 1,
      contributors: ["a"],
      missing: [],
      model: objectNumber(2),
      metrics: {},
      bytes: 1,
      aggregationSeconds: 0,
    });
    opened(2, [], 1);
    job.watch.note({ type: "task-assigned", round: 2, task: "train", model: objectNumber(2), sites: ["a"] });
    expect(job.watch.lateIn(1).map(({ site }) => site)).toEqual(["b", "c"]);
    job.watch.note({ ...updateOf("b", 1), site: "b" });
    opened(3, [], 2);
    job.turnTo(60_000);
    expect(job.given.map(({ site }) => site)).toEqual(["a"]);
  });

  it("are left alone for as long as their sites are there and transfer nothing", () => {
    const job = new Watched();
    job.hear("a", "training");
    job.turnTo(24 * 3_600_000);
    expect(job.given).toEqual([]);
  });

  it("are given up when their site is away for the stall time, and not when it comes back before", () => {
    const job = new Watched();
    for (const site of ["a", "b"]) job.gone.set(site, { isAttached: false, sinceMs: Date.UTC(2026, 0, 1), reason: "no way" });
    job.turnTo(50_000);
    job.gone.delete("a");
    job.watch.note({ type: "site-connected", site: "a" });
    job.turnTo(60_000);
    expect(job.given.map(({ site }) => site)).toEqual(["b"]);
    expect(job.given[0]?.error).toMatchObject({ code: "runtime/task-stalled", facts: { site: "b", seconds: 60 } });
    expect(job.given[0]?.error.message).toBe(
      "The task of b has not moved since 2026-01-01T00:00:00.000Z, for 60 s: disconnected since 2026-01-01T00:00:00.000Z (no way); nothing was heard of its task.",
    );
  });

  it("are given up when a transfer does not move, however alive its site is, and never while it does", () => {
    const job = new Watched();
    for (let done = 0; done < 100; done += 1) {
      job.hear("a", "uploading", done, 100);
      job.hear("b", "uploading", 7, 100);
      job.turnTo(done * 5_000);
    }
    expect([...new Set(job.given.map(({ site }) => site))]).toEqual(["b"]);
    expect(job.given[0]?.error.facts["why"]).toBe("uploading 7 of 100 bytes");
  });

  it("are not given up for the time in which the server did not run", () => {
    const job = new Watched();
    job.gone.set("a", { isAttached: false, sinceMs: 0, reason: "" });
    job.clock.turnTo(3_600_000);
    job.watch.look();
    expect(job.given).toEqual([]);
    job.turnTo(3_660_000);
    expect(job.given.map(({ site }) => site)).toEqual(["a"]);
  });

  it("are no longer watched once they are answered, failed or closed", () => {
    const job = new Watched();
    for (const site of ["a", "b"]) job.gone.set(site, { isAttached: false, sinceMs: 0, reason: "" });
    job.watch.note(updateOf("a", 0));
    job.watch.note({ type: "task-failed", round: 0, task: "train", site: "b", error: { code: "internal/bug", message: "" } });
    job.turnTo(600_000);
    expect(job.given).toEqual([]);
  });

  it("are tried again to be given up where that could not be written", () => {
    const job = new Watched();
    job.gone.set("a", { isAttached: false, sinceMs: 0, reason: "" });
    job.turnTo(120_000);
    expect(job.given.map(({ site }) => site)).toEqual(["a", "a"]);
  });

  it("that are late are named with why", () => {
    const job = new Watched();
    job.hear("a", "training", 3, 10, "epoch 3", 4_000);
    job.hear("b", "downloading", 5, 9);
    job.gone.set("b", { isAttached: false, sinceMs: Date.UTC(2026, 0, 2), reason: "" });
    expect(job.watch.lateIn(0)).toEqual([
      { site: "a", why: "training 3 of 10 steps (epoch 3), last moved 4 s ago" },
      { site: "b", why: "disconnected since 2026-01-02T00:00:00.000Z; before that downloading 5 of 9 bytes" },
    ]);
    expect(job.watch.lateIn(1)).toEqual([]);
  });
});
