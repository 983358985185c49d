import type { ContentHash } from "@flare-ts/contracts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobEvent, JournalEntry, TaskSpan } from "../job/job-event.js";
import { otlpTrace } from "./otlp.js";
import { traceJournal } from "./trace-journal.js";

const jobId = "3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11";
const model = { hash: "a".repeat(64) as ContentHash, size: 10 };
const opened: Extract<JobEvent, { type: "round-opened" }> = {
  type: "round-opened",
  round: 0,
  task: "train",
  model,
  sites: ["a", "b"],
  totalRounds: 1,
};
const closed: JobEvent = {
  type: "round-closed",
  round: 0,
  contributors: ["a", "b"],
  missing: [],
  model,
  metrics: {},
  bytes: 20,
  aggregationSeconds: 0.5,
};

describe("the trace of a job", () => {
  it("puts what a site has told before its answer, and what is left before it is the delivery", () => {
    const spans = [
      { phase: "waiting", reason: "waits for a GPU", ms: 1000 },
      { phase: "training", ms: 2000 },
      { phase: "uploading", ms: 500 },
    ];
    const { rounds } = trace([0, opened], [4000, accepted("a", spans)], [5000, accepted("b", [])], [6000, closed]);
    const [round] = rounds;
    expect(round?.tasks[0]?.spans).toEqual([
      { name: "delivery", fromMs: 0, toMs: 500 },
      { name: "waiting", reason: "waits for a GPU", fromMs: 500, toMs: 1500 },
      { name: "training", fromMs: 1500, toMs: 3500 },
      { name: "uploading", fromMs: 3500, toMs: 4000 },
    ]);
    expect(round?.tasks[1]).toMatchObject({ outcome: "answered", fromMs: 0, toMs: 5000, spans: [] });
    expect(round?.aggregation).toEqual({ name: "aggregation", fromMs: 5500, toMs: 6000 });
    expect(round?.longest).toEqual({ site: "b", phase: undefined, ms: 5000 });
  });

  it("names of who answered last what took longest in all", () => {
    const spans = [
      { phase: "uploading", ms: 900 },
      { phase: "waiting", ms: 1000 },
      { phase: "uploading", ms: 800 },
    ];
    const { rounds } = trace([0, opened], [1000, accepted("a", [])], [3000, accepted("b", spans)]);
    expect(rounds[0]?.longest).toEqual({ site: "b", phase: "uploading", ms: 1700 });
    expect(rounds[0]?.toMs).toBeUndefined();
  });

  it("says of a task that it failed, that nobody waited for it, or that it is open", () => {
    const error = { code: "internal/bug", message: "it broke" } as const;
    const failed: JobEvent = { type: "task-failed", round: 0, task: "train", site: "b", error };
    expect(outcomes(trace([0, opened]))).toEqual(["a open", "b open"]);
    expect(outcomes(trace([0, opened], [1, accepted("a", [])], [2, failed]))).toEqual(["a answered", "b failed"]);
    // An answer that turned out to be unusable.
    expect(outcomes(trace([0, opened], [1, accepted("b", [])], [2, failed], [3, closed]))).toEqual(["a missing", "b failed"]);
    const stepFailed: JobEvent = { ...failed, task: "train/confirm" };
    expect(outcomes(trace([0, opened], [1, accepted("b", [])], [2, stepFailed]))).toEqual(["a open", "b answered"]);
  });

  it("lets tasks go on after their round where sites do not wait for each other, until they are too old", () => {
    const buffered = (round: number, oldestBase: number): JobEvent => ({
      ...opened,
      round,
      sites: ["a", "b"],
      buffered: { oldestBase, updates: 1 },
    });
    const before: readonly (readonly [number, JobEvent])[] = [
      [0, buffered(0, 0)],
      [10, accepted("a", [])],
      [20, closed],
    ];
    expect(outcomes(trace(...before))).toEqual(["a answered", "b open"]);
    expect(outcomes(trace(...before, [30, buffered(1, 1)]))).toEqual(["a answered", "b missing"]);
    const late = trace(...before, [30, buffered(1, 0)], [40, accepted("b", [])]);
    expect(outcomes(late)).toEqual(["a answered", "b answered"]);
    expect(late.rounds[0]?.tasks[1]?.toMs).toBe(40);
  });

  it("shows the steps of a sum with their answers", () => {
    const task = "train/confirm";
    const { rounds } = trace(
      [0, opened],
      [10, { type: "step-opened", round: 0, task, step: "confirm", attempt: 0, document: model, sites: ["a", "b"] }],
      [12, { type: "step-answered", round: 0, task, site: "b", update: model }],
      [15, { type: "step-answered", round: 0, task, site: "a", update: model }],
    );
    const answers = [
      { site: "b", atMs: 12 },
      { site: "a", atMs: 15 },
    ];
    expect(rounds[0]?.steps).toEqual([{ step: "confirm", attempt: 0, fromMs: 10, toMs: 15, answers }]);
  });

  it("has spans that lie within their task, follow each other without gaps and end with it, whatever a site tells", () => {
    const told = fc.array(fc.record({ phase: fc.constantFrom("waiting", "training", "uploading"), ms: fc.nat(3000) }), { maxLength: 12 });
    fc.assert(
      fc.property(told, fc.integer({ min: 1, max: 5000 }), (spans, atMs) => {
        const [task] = trace([0, opened], [atMs, accepted("a", spans)]).rounds[0]?.tasks ?? [];
        const found = task?.spans ?? [];
        let endMs = 0;
        for (const { fromMs, toMs } of found) {
          expect(fromMs).toBe(endMs);
          expect(toMs).toBeGreaterThan(fromMs);
          endMs = toMs;
        }
        expect(endMs).toBe(spans.length === 0 ? 0 : atMs);
        // What fits keeps its length.
        const sum = spans.reduce((total, { ms }) => total + ms, 0);
        const lengths = (names: readonly string[]): number =>
          found.filter(({ name }) => names.includes(name)).reduce((total, { fromMs, toMs }) => total + toMs - fromMs, 0);
        expect(lengths(["waiting", "training", "uploading"])).toBe(Math.min(sum, atMs));
      }),
    );
  });
});

describe("a trace for OpenTelemetry", () => {
  const spans = [{ phase: "training", ms: 2000 }];
  const journal = trace([0, { type: "job-submitted", submitter: "ann", name: "demo" }], [5, opened], [4000, accepted("a", spans)]);
  const found = otlpSpans(otlpTrace(journal, 9000));

  it("has spans with ids of their own, each below one that there is, in the trace that the job's id names", () => {
    expect(new Set(found.map(({ spanId }) => spanId)).size).toBe(found.length);
    for (const { spanId, traceId } of found) {
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
      expect(traceId).toBe("3f0c9a526f0e4e0a9d2b0f8f5a4a7b11");
    }
    const known = found.map(({ spanId }) => spanId);
    expect(found.flatMap(({ parentSpanId }) => parentSpanId ?? []).filter((parent) => !known.includes(parent))).toEqual([]);
    expect(found.filter(({ parentSpanId }) => parentSpanId === undefined).map(({ name }) => name)).toEqual(["job demo"]);
  });

  it("tells times in nanoseconds, and ends what is open now", () => {
    const training = found.find(({ name }) => name === "training");
    expect([training?.startTimeUnixNano, training?.endTimeUnixNano]).toEqual(["2000000000", "4000000000"]);
    expect(found.find(({ name }) => name === "round 0")?.endTimeUnixNano).toBe("9000000000");
  });

  it("is the same for the same journal", () => {
    expect(otlpTrace(journal, 9000)).toEqual(otlpTrace(journal, 9000));
  });
});

function trace(...events: readonly (readonly [number, JobEvent])[]) {
  return traceJournal(
    jobId,
    events.map(([atMs, event], index): JournalEntry => ({ jobId, seq: index + 1, atMs, event })),
  );
}

function accepted(site: string, spans: readonly TaskSpan[]): JobEvent {
  const told = spans.length === 0 ? {} : { spans };
  return {
    type: "update-accepted",
    round: 0,
    task: "train",
    site,
    update: model,
    paramsType: "DIFF",
    weight: 1,
    metrics: {},
    meta: {},
    ...told,
  };
}

function outcomes({ rounds: [round] }: ReturnType<typeof traceJournal>): readonly string[] {
  return (round?.tasks ?? []).map(({ site, outcome }) => `${site} ${outcome}`);
}

interface OtlpSpan {
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

function otlpSpans({ resourceSpans }: ReturnType<typeof otlpTrace>): readonly OtlpSpan[] {
  const resources = resourceSpans as unknown as readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
  return resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}
