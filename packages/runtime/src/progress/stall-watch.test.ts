import { describe, expect, it } from "vitest";
import { ManualClock } from "../workflow/manual-clock.test-support.js";
import { type Stall, StallWatch } from "./stall-watch.js";
import { steadily } from "./steadily.js";

class ManualStallClock extends ManualClock {
  date(): number {
    return 1_000_000 + this.now();
  }
}

function watched(): { readonly clock: ManualStallClock; readonly watch: StallWatch; readonly stalls: Stall[] } {
  const clock = new ManualStallClock(0);
  const stalls: Stall[] = [];
  const watch = new StallWatch({ clock }, { stallMs: 1_000, first: "its start", onStall: (stall) => stalls.push(stall) });
  return { clock, watch, stalls };
}

describe("what is watched", () => {
  it("is given up once when nothing has moved for the stall time, with what moved last and when", () => {
    const { clock, stalls } = watched();
    for (const atMs of [999, 1_000, 2_000, 3_000]) clock.turnTo(atMs);
    expect(stalls).toEqual([{ last: "its start", sinceMs: 1_000_000, stillMs: 1_000 }]);
    expect(clock.timers).toEqual([]);
  });

  it("may take as long as it likes while it moves", () => {
    const { clock, watch, stalls } = watched();
    for (let atMs = 500; atMs <= 60_000; atMs += 500) {
      clock.turnTo(atMs);
      watch.mark(`step ${atMs}`);
    }
    expect(stalls).toEqual([]);
    for (let atMs = 60_250; atMs <= 61_000; atMs += 250) clock.turnTo(atMs);
    expect(stalls).toEqual([{ last: "step 60000", sinceMs: 1_060_000, stillMs: 1_000 }]);
  });

  it("is not given up for the time in which this process did not run", () => {
    const { clock, stalls } = watched();
    clock.turnTo(3_600_000);
    expect(stalls).toEqual([]);
    clock.turnTo(3_600_999);
    clock.turnTo(3_601_000);
    expect(stalls).toHaveLength(1);
  });

  it("is not given up while it is paused, nor after it is done", () => {
    const { clock, watch, stalls } = watched();
    watch.pause();
    for (let atMs = 250; atMs <= 5_000; atMs += 250) clock.turnTo(atMs);
    watch.resume("again");
    clock.turnTo(5_999);
    expect(stalls).toEqual([]);
    watch.stop();
    clock.turnTo(6_500);
    watch.resume("too late");
    clock.turnTo(7_500);
    expect(stalls).toEqual([]);
  });
});

describe("reports of each step", () => {
  it("are told so often at most, and news at once", () => {
    let nowMs = 0;
    const told: string[] = [];
    const init = { everyMs: 1_000, isNews: (one: string, other: string) => one[0] !== other[0], now: () => nowMs };
    const report = steadily<string>({ ...init, tell: (text) => told.push(text) });
    for (const [atMs, text] of [
      [0, "a1"],
      [10, "a2"],
      [20, "b1"],
      [900, "b2"],
      [1_020, "b3"],
    ] as const) {
      nowMs = atMs;
      report(text);
    }
    expect(told).toEqual(["a1", "b1", "b3"]);
  });
});
