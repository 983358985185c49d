import type { RoundTrace, TaskTrace } from "@flare-ts/runtime/admin";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { traceLines } from "./trace-lines.js";

const drawing = { colors: picocolors.createColors(false), columns: undefined, nowMs: 32_000 };

describe("a round as bars", () => {
  const quick: TaskTrace = {
    site: "quick",
    fromMs: 0,
    toMs: 16_000,
    outcome: "answered",
    spans: [
      { name: "delivery", fromMs: 0, toMs: 4000 },
      { name: "waiting", reason: "waits for a GPU", fromMs: 4000, toMs: 8000 },
      { name: "training", fromMs: 8000, toMs: 16_000 },
    ],
  };
  const broken: TaskTrace = { site: "broken", fromMs: 0, toMs: 8000, outcome: "failed", error: "x/y: it broke", spans: [] };

  it("has a character for each share of its time, by what lasted longest in it", () => {
    const aggregation = { name: "aggregation", fromMs: 24_000, toMs: 32_000 };
    const longest = { site: "quick", phase: "training", ms: 8000 };
    expect(traceLines(roundOf({ tasks: [quick, broken], toMs: 32_000, aggregation, longest }), drawing)).toEqual([
      "round 3  32.0 s  last: quick, 8.00 s of it training",
      "  broken  xxxxxxxx                          8.00 s  failed: x/y: it broke",
      "  quick   ....----########                  16.0 s  training 8.00 s, delivery 4.00 s, waiting (waits for a GPU) 4.00 s",
      "  server                          ++++++++  aggregation 8.00 s",
    ]);
  });

  it("shows what is under way until now", () => {
    const open: TaskTrace = { site: "slow", fromMs: 0, toMs: undefined, outcome: "open", spans: [] };
    expect(traceLines(roundOf({ tasks: [open], toMs: undefined }), drawing)).toEqual([
      "round 3  32.0 s so far",
      `  slow    ${"=".repeat(32)}  32.0 s so far`,
    ]);
  });

  it("fits a terminal, and is not steered by what sites have told", () => {
    const evil = { ...quick, spans: [{ name: "waiting", reason: "\u001b[2J gone", fromMs: 0, toMs: 16_000 }] };
    for (const line of traceLines(roundOf({ tasks: [evil, { ...broken, error: "\u001b[2J" }] }), { ...drawing, columns: 70 })) {
      expect(line).not.toMatch(/\p{Cc}/u);
      expect(line.length).toBeLessThanOrEqual(70);
    }
  });
});

function roundOf(some: Partial<RoundTrace>): RoundTrace {
  return {
    round: 3,
    task: "train",
    workflow: undefined,
    fromMs: 0,
    toMs: 32_000,
    tasks: [],
    steps: [],
    aggregation: undefined,
    longest: undefined,
    ...some,
  };
}
