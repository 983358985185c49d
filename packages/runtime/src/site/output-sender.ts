import { create } from "@bufbuild/protobuf";
import { limits } from "@flare-ts/contracts";
import { type JobOutput, JobOutputSchema, type JobOutputTaken, LogLineSchema, TrackedMetricSchema } from "@flare-ts/contracts/wire";
import type { LogSource } from "../output/job-output.js";
import type { ServerLink } from "./server-link.js";

export interface OutputSenderComponents {
  readonly link: Pick<ServerLink, "tell">;
  readonly now: () => number;
}

export interface OutputSenderInit {
  /** Names this start of the site. */
  readonly epoch: string;
  /** Whether the operator lets log lines be read from afar. */
  readonly allowsLogs: boolean;
}

/** A value that a training script tracks. */
export interface MetricReport {
  readonly key: string;
  readonly value: number;
  readonly round: number | undefined;
  readonly step: number | undefined;
}

type Entry = { readonly bytes: number } & (
  | { readonly kind: "metric"; readonly report: MetricReport; readonly atMs: number }
  | { readonly kind: "line"; readonly source: LogSource; readonly text: string; readonly atMs: number }
);

interface JobQueue {
  readonly waiting: Entry[];
  waitingBytes: number;
  dropped: number;
  number: number;
  /** The batch that the server has not taken yet. */
  underWay: JobOutput | undefined;
  timer: NodeJS.Timeout | undefined;
  readonly wantRoom: (() => void)[];
  isEnding: boolean;
}

/**
 * Sends what the trainers of a site's jobs say: tracked metrics, and log lines where the operator allows it. Small batches, one of a
 * job at a time, so that nothing of it stands in the way of tasks; what the server does not take waits here, up to a limit.
 */
export class OutputSender {
  readonly #parts: OutputSenderComponents;
  readonly #init: OutputSenderInit;
  readonly #jobs = new Map<string, JobQueue>();

  constructor(components: OutputSenderComponents, init: OutputSenderInit) {
    this.#parts = components;
    this.#init = init;
  }

  get allowsLogs(): boolean {
    return this.#init.allowsLogs;
  }

  /** Takes a metric; one that there is no room for is counted and dropped, so that a training script is never held up. */
  metric(jobId: string, report: MetricReport): void {
    const queue = this.#queue(jobId);
    const bytes = 40 + report.key.length;
    if (queue.waitingBytes + bytes > limits.outputWaitingBytes) queue.dropped += 1;
    else this.#add(jobId, queue, { kind: "metric", report, atMs: this.#parts.now(), bytes });
  }

  /** Takes log lines; resolves when there is room for more. Without the operator's consent nothing of them is kept. */
  async lines(jobId: string, source: LogSource, texts: readonly string[]): Promise<void> {
    if (!this.#init.allowsLogs) return;
    const queue = this.#queue(jobId);
    for (const text of texts) {
      const entry: Entry = {
        kind: "line",
        source,
        text: text.slice(0, limits.logLineChars),
        atMs: this.#parts.now(),
        bytes: 20 + 2 * text.length,
      };
      while (queue.waitingBytes > 0 && queue.waitingBytes + entry.bytes > limits.outputWaitingBytes && !queue.isEnding) {
        await new Promise<void>((resolve) => {
          queue.wantRoom.push(resolve);
        });
      }
      this.#add(jobId, queue, entry);
    }
  }

  /** The server has written a batch. */
  taken({ jobId, epoch, number }: JobOutputTaken): void {
    const queue = this.#jobs.get(jobId);
    if (queue?.underWay === undefined || epoch !== this.#init.epoch || number !== queue.underWay.number) return;
    queue.underWay = undefined;
    if (queue.waiting.length > 0 || queue.dropped > 0) this.#sendLater(jobId, queue);
    else if (queue.isEnding) this.#forget(jobId);
  }

  /** The site is attached again: what the server may not have heard is said once more. */
  attached(): void {
    for (const { underWay } of this.#jobs.values()) if (underWay !== undefined) this.#tell(underWay);
  }

  /** The job is over here: what waits still goes out, and is then forgotten. */
  end(jobId: string): void {
    const queue = this.#jobs.get(jobId);
    if (queue === undefined) return;
    queue.isEnding = true;
    for (const resolve of queue.wantRoom.splice(0)) resolve();
    if (queue.underWay === undefined && queue.waiting.length === 0 && queue.dropped === 0) this.#forget(jobId);
  }

  /** Forgets everything. */
  stop(): void {
    for (const jobId of [...this.#jobs.keys()]) this.#forget(jobId);
  }

  #queue(jobId: string): JobQueue {
    const known = this.#jobs.get(jobId);
    if (known !== undefined) return known;
    const queue: JobQueue = {
      waiting: [],
      waitingBytes: 0,
      dropped: 0,
      number: 0,
      underWay: undefined,
      timer: undefined,
      wantRoom: [],
      isEnding: false,
    };
    this.#jobs.set(jobId, queue);
    return queue;
  }

  #add(jobId: string, queue: JobQueue, entry: Entry): void {
    queue.waiting.push(entry);
    queue.waitingBytes += entry.bytes;
    if (queue.underWay === undefined) this.#sendLater(jobId, queue);
  }

  #sendLater(jobId: string, queue: JobQueue): void {
    queue.timer ??= setTimeout(() => {
      queue.timer = undefined;
      this.#send(jobId, queue);
    }, limits.outputPauseMs).unref();
  }

  #send(jobId: string, queue: JobQueue): void {
    let bytes = 0;
    let count = 0;
    for (const entry of queue.waiting) {
      if (count > 0 && bytes + entry.bytes > limits.outputBatchBytes) break;
      bytes += entry.bytes;
      count += 1;
    }
    const entries = queue.waiting.splice(0, count);
    queue.waitingBytes -= bytes;
    queue.number += 1;
    queue.underWay = create(JobOutputSchema, {
      jobId,
      epoch: this.#init.epoch,
      number: BigInt(queue.number),
      dropped: queue.dropped,
      metrics: entries.flatMap((entry) => (entry.kind === "metric" ? [metricToWire(entry)] : [])),
      lines: entries.flatMap((entry) =>
        entry.kind === "line" ? [create(LogLineSchema, { atMs: BigInt(entry.atMs), source: entry.source, text: entry.text })] : [],
      ),
    });
    queue.dropped = 0;
    for (const resolve of queue.wantRoom.splice(0)) resolve();
    this.#tell(queue.underWay);
  }

  #tell(batch: JobOutput): void {
    this.#parts.link.tell({ case: "jobOutput", value: batch });
  }

  #forget(jobId: string): void {
    const queue = this.#jobs.get(jobId);
    clearTimeout(queue?.timer);
    this.#jobs.delete(jobId);
    for (const resolve of queue?.wantRoom.splice(0) ?? []) resolve();
  }
}

function metricToWire({ report, atMs }: Extract<Entry, { kind: "metric" }>) {
  const { key, value, round, step } = report;
  return create(TrackedMetricSchema, {
    atMs: BigInt(atMs),
    key,
    value,
    ...(round === undefined ? {} : { round }),
    ...(step === undefined ? {} : { step }),
  });
}
