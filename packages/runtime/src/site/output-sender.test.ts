import { create } from "@bufbuild/protobuf";
import { limits } from "@flare-ts/contracts";
import { type JobOutput, JobOutputTakenSchema, type SiteMessage } from "@flare-ts/contracts/wire";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OutputSender } from "./output-sender.js";

let told: JobOutput[];

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function sender(allowsLogs = true): OutputSender {
  const tell = (message: SiteMessage["message"]): void => {
    if (message.case === "jobOutput") told.push(message.value);
  };
  return new OutputSender({ link: { tell }, now: () => 7 }, { epoch: "e", allowsLogs });
}

const take = (output: OutputSender, batch: JobOutput | undefined): void =>
  output.taken(create(JobOutputTakenSchema, { jobId: batch?.jobId ?? "", epoch: "e", number: batch?.number ?? 0n }));
const pause = (): unknown => vi.advanceTimersByTime(limits.outputPauseMs);
const metric = (value: number) => ({ key: "loss", value, round: 1, step: undefined });

describe("what a site says of a job", () => {
  it("goes in batches, the next only when the server has taken the last", async () => {
    const output = sender();
    output.metric("j", metric(1));
    await output.lines("j", "trainer", ["hello"]);
    pause();
    expect(told).toMatchObject([{ jobId: "j", number: 1n, metrics: [{ key: "loss", value: 1, round: 1 }], lines: [{ text: "hello" }] }]);
    output.metric("j", metric(2));
    pause();
    pause();
    expect(told).toHaveLength(1);
    take(output, told[0]);
    pause();
    expect(told[1]).toMatchObject({ number: 2n, metrics: [{ value: 2 }] });
  });

  it("is said again after a reconnection, under the same number", () => {
    const output = sender();
    output.metric("j", metric(1));
    pause();
    output.attached();
    expect(told.map(({ number }) => number)).toEqual([1n, 1n]);
    take(output, told[0]);
    output.attached();
    expect(told).toHaveLength(2);
  });

  it("is never a log line where the operator does not allow it", async () => {
    const output = sender(false);
    await output.lines("j", "trainer", ["name of a patient"]);
    pause();
    expect(told).toEqual([]);
  });

  it("holds the reader of a log up when the server does not keep pace, and a training script never", async () => {
    const output = sender();
    const line = "x".repeat(limits.logLineChars);
    let taken = 0;
    const flood = (async () => {
      for (; taken < 1000; taken += 1) await output.lines("j", "trainer", [line]);
    })();
    await vi.advanceTimersByTimeAsync(limits.outputPauseMs);
    const before = taken;
    expect(before).toBeLessThan((2 * limits.outputWaitingBytes) / line.length);
    for (let i = 0; i < 100_000; i += 1) output.metric("j", metric(i));
    take(output, told[0]);
    await vi.advanceTimersByTimeAsync(limits.outputPauseMs);
    expect(taken).toBeGreaterThan(before);
    expect(told[1]?.dropped).toBeGreaterThan(90_000);
    output.stop();
    await vi.advanceTimersByTimeAsync(0);
    void flood;
  });

  it("still goes out when the job is over, and is then forgotten", () => {
    const output = sender();
    output.metric("j", metric(1));
    output.end("j");
    pause();
    expect(told).toHaveLength(1);
    take(output, told[0]);
    output.attached();
    expect(told).toHaveLength(1);
  });
});
