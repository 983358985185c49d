import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TaskPhase } from "../job-process/job-channel.js";
import type { ServerLink } from "./server-link.js";
import { TaskReporter } from "./task-reporter.js";

const key = { jobId: "4a0c2e0e-5a3c-4c3e-9f0e-0d4b8a7c1e11", round: 3, task: "train" } as const;
const phaseOf = (phase: TaskPhase["phase"], done = 0): TaskPhase => ({ phase, done, total: 100, reason: "" });

describe("what a site says of its tasks", () => {
  let told: string[];
  let reporter: TaskReporter;

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    const tell: ServerLink["tell"] = (message) => {
      if (message?.case === "taskProgress") told.push(`${message.value.phase} ${message.value.done}`);
    };
    reporter = new TaskReporter({ link: { tell }, steadyNow: () => performance.now() });
  });
  afterEach(() => {
    reporter.stop();
    vi.useRealTimers();
  });

  it("names a phase as soon as it lasts, with how far it is by then", () => {
    reporter.note(key, phaseOf("training"));
    vi.advanceTimersByTime(100);
    reporter.note(key, phaseOf("training", 40));
    expect(told).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(told).toEqual(["training 40"]);
  });

  it("leaves out phases that are over at once, and tasks that are answered before", () => {
    reporter.note(key, phaseOf("downloading"));
    vi.advanceTimersByTime(10);
    reporter.note(key, phaseOf("training"));
    vi.advanceTimersByTime(190);
    expect(told).toEqual(["training 0"]);
    reporter.note(key, phaseOf("uploading"));
    reporter.forget(key);
    vi.runOnlyPendingTimers();
    expect(told).toEqual(["training 0"]);
  });
});
