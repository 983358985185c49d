import { create } from "@bufbuild/protobuf";
import { limits } from "@flare-ts/contracts";
import { SubmitUpdateRequestSchema, TaskSpanSchema } from "@flare-ts/contracts/wire";
import { describe, expect, it } from "vitest";
import { readReport } from "./read-report.js";

describe("what a site says of how it spent its time", () => {
  const requestWith = (spans: readonly { phase: string; reason?: string; ms: bigint }[]) =>
    create(SubmitUpdateRequestSchema, {
      key: { jobId: "j1", round: 0, task: "train" },
      paramsType: "DIFF",
      weight: 1,
      spans: spans.map((span) => create(TaskSpanSchema, span)),
    });

  it("is in the journal with its update", () => {
    const { spans } = readReport(
      "a",
      requestWith([
        { phase: "waiting", reason: "waits for a GPU", ms: 5n },
        { phase: "training", ms: 7n },
      ]),
    );
    expect(spans).toEqual([
      { phase: "waiting", reason: "waits for a GPU", ms: 5 },
      { phase: "training", ms: 7 },
    ]);
    expect(readReport("a", requestWith([]))).not.toHaveProperty("spans");
  });

  it.each([
    ["more phases than are taken", Array.from({ length: limits.taskSpans + 1 }, () => ({ phase: "training", ms: 1n }))],
    ["a phase that is no word", [{ phase: "training\u001b[2J", ms: 1n }]],
    ["a time longer than any", [{ phase: "training", ms: 2n ** 60n }]],
  ])("is refused as a bad message: %s", (_what, spans) => {
    expect(() => readReport("a", requestWith(spans))).toThrow(expect.objectContaining({ code: "runtime/bad-message" }));
  });
});
