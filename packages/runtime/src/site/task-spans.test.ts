import { limits } from "@flare-ts/contracts/errors";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { TaskSpans } from "./task-spans.js";

it("a task's phases follow each other, and what is told again changes nothing", () => {
  const spans = new TaskSpans();
  spans.enter("waiting", "waits for the model", 100);
  spans.enter("waiting", "waits for the model", 150);
  spans.enter("training", "", 300.4);
  expect(spans.until(500)).toEqual([
    { phase: "waiting", reason: "waits for the model", ms: 200 },
    { phase: "training", ms: 200 },
  ]);
});

it("they add up to the whole time, however many there are and however short each is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("waiting", "training"), fc.double({ min: 0, max: 20, noNaN: true })), { minLength: 1 }),
      (moves) => {
        const spans = new TaskSpans();
        let nowMs = 1000.3;
        for (const [phase, ms] of moves) {
          spans.enter(phase, "", nowMs);
          nowMs += ms;
        }
        const told = spans.until(nowMs);
        expect(told.length).toBeLessThanOrEqual(limits.taskSpans);
        expect(told.reduce((sum, { ms }) => sum + ms, 0)).toBe(Math.round(nowMs - 1000.3));
      },
    ),
  );
});
