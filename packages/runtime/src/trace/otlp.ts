import { createHash } from "node:crypto";
import type { Json } from "@flare-ts/contracts";
import type { JobTrace, RoundTrace, TaskTrace } from "./job-trace.js";

/**
 * A trace as OpenTelemetry's collectors take it: OTLP as JSON (opentelemetry-proto, `ExportTraceServiceRequest`). The same journal gives the same ids,
 * so what is sent twice is there once. What is still open ends at `nowMs`.
 */
export function otlpTrace(trace: JobTrace, nowMs: number): { readonly resourceSpans: readonly Json[] } {
  const spans = new SpanList(trace.jobId, nowMs);
  const job = spans.add("server", undefined, ["job"], {
    name: `job ${trace.name}`,
    fromMs: trace.fromMs,
    toMs: trace.toMs,
    facts: { "flare.job.id": trace.jobId, ...(trace.status === undefined ? {} : { "flare.job.status": trace.status }) },
    error: trace.status === undefined || trace.status === "FINISHED:COMPLETED" ? undefined : trace.status,
  });
  for (const round of trace.rounds) addRound(spans, job, round);
  return { resourceSpans: spans.byService() };
}

function addRound(spans: SpanList, job: string, round: RoundTrace): void {
  const { round: number, task: taskName, workflow, steps, aggregation, tasks } = round;
  const place = ["round", String(number)];
  const facts = { "flare.round": number, "flare.task": taskName, ...(workflow === undefined ? {} : { "flare.workflow": workflow }) };
  const id = spans.add("server", job, place, { name: `round ${number}`, fromMs: round.fromMs, toMs: round.toMs, facts });
  for (const task of tasks) addTask(spans, id, [...place, "site", task.site], task, facts);
  for (const [at, { step, attempt, fromMs, toMs }] of steps.entries())
    spans.add("server", id, [...place, "step", String(at)], { name: step, fromMs, toMs, facts: { ...facts, "flare.attempt": attempt } });
  if (aggregation !== undefined) spans.add("server", id, [...place, "aggregation"], { ...aggregation, facts });
}

function addTask(spans: SpanList, round: string, place: readonly string[], task: TaskTrace, facts: Facts): void {
  const { site, outcome, weight, bytes, error, fromMs, toMs } = task;
  const own = {
    ...facts,
    "flare.outcome": outcome,
    ...(weight === undefined ? {} : { "flare.weight": weight }),
    ...(bytes === undefined ? {} : { "flare.bytes": bytes }),
  };
  const failure = error ?? (outcome === "missing" ? "did not answer" : undefined);
  const id = spans.add(site, round, place, { name: String(facts["flare.task"]), fromMs, toMs, facts: own, error: failure });
  for (const [at, { reason, ...span }] of task.spans.entries())
    spans.add(site, id, [...place, String(at)], {
      ...span,
      facts: { ...facts, ...(reason === undefined ? {} : { "flare.reason": reason }) },
    });
}

type Facts = Readonly<Record<string, string | number>>;

interface NamedSpan {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly facts: Facts;
  /** Why it failed. */
  readonly error?: string | undefined;
}

class SpanList {
  readonly #traceId: string;
  readonly #nowMs: number;
  readonly #services = new Map<string, Json[]>();

  constructor(jobId: string, nowMs: number) {
    // A job's id has as many bytes as a trace's.
    this.#traceId = jobId.replaceAll("-", "");
    this.#nowMs = nowMs;
  }

  /** Adds a span of a participant; `place` names it within the job. Gives its id. */
  add(service: string, parent: string | undefined, place: readonly string[], { name, fromMs, toMs, facts, error }: NamedSpan): string {
    const id = createHash("sha256")
      .update(`${this.#traceId} ${place.join(" ")}`)
      .digest("hex")
      .slice(0, 16);
    const spans = this.#services.get(service) ?? [];
    this.#services.set(service, spans);
    spans.push({
      traceId: this.#traceId,
      spanId: id,
      ...(parent === undefined ? {} : { parentSpanId: parent }),
      name,
      kind: internal,
      startTimeUnixNano: nanoseconds(fromMs),
      endTimeUnixNano: nanoseconds(Math.max(fromMs, toMs ?? this.#nowMs)),
      attributes: attributesOf({ ...facts, ...(toMs === undefined ? { "flare.open": "true" } : {}) }),
      status: error === undefined ? {} : { code: failed, message: error },
    });
    return id;
  }

  byService(): Json[] {
    return [...this.#services].map(([name, spans]) => ({
      resource: { attributes: attributesOf({ "service.namespace": "flare", "service.name": name }) },
      scopeSpans: [{ scope: { name: "flare-ts" }, spans }],
    }));
  }
}

/** `SPAN_KIND_INTERNAL` and `STATUS_CODE_ERROR`. */
const [internal, failed] = [1, 2];

/** As text: it is more than a number holds exactly. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function attributesOf(facts: Facts): Json[] {
  return Object.entries(facts).map(([key, value]) => ({ key, value: attributeValue(value) }));
}

function attributeValue(value: string | number): Json {
  if (typeof value === "string") return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
