import type { JobSummary, SystemChange } from "@flare-ts/runtime/admin";
import { expect, it } from "vitest";
import { tellWaiting } from "./tell-waiting.js";

const jobId = "f23267e8-8bdc-4294-999a-cdccb6f70a3f";

/** What is told when the federation changes like this. */
async function toldOf(...changes: readonly (readonly Partial<JobSummary>[])[]): Promise<readonly string[]> {
  const told: string[] = [];
  async function* watchSystem(): AsyncGenerator<SystemChange> {
    for (const jobs of changes) yield await Promise.resolve({ jobs } as unknown as SystemChange);
  }
  await tellWaiting({ watchSystem }, { jobId, signal: new AbortController().signal, tell: (reason) => told.push(reason) });
  return told;
}

const waiting = (reason: string, stillMs: number, phase = "waiting") => ({ phase, done: 0, total: 0, reason, stillMs, atMs: 0 });
const running = (progress: JobSummary["progress"]): readonly Partial<JobSummary>[] => [{ jobId, status: "RUNNING", reason: "", progress }];

it("tells why a job has not begun, once each reason, and nothing of other jobs", async () => {
  const submitted = (reason: string) => [{ jobId, status: "SUBMITTED" as const, reason }];
  const other = [{ jobId: "another", status: "SUBMITTED" as const, reason: "waits for site-9" }];
  expect(await toldOf(submitted("waits for site-1"), submitted("waits for site-1"), other, submitted("waits for site-2"))).toEqual([
    "waits for site-1",
    "waits for site-2",
  ]);
});

it("tells what the sites of a running job wait for, when it takes long, and again after they did something else", async () => {
  const cpus = "waits for 2 of 4 CPUs, behind job a";
  const changes = [
    running({ "site-1": waiting(cpus, 200), "site-2": waiting("", 9_000, "training") }),
    running({ "site-1": waiting(cpus, 5_000) }),
    running({ "site-1": waiting(cpus, 10_000) }),
    running({ "site-1": waiting("", 0, "training") }),
    running({ "site-1": waiting(cpus, 5_000) }),
  ];
  expect(await toldOf(...changes)).toEqual([`at site-1 ${cpus}`, `at site-1 ${cpus}`]);
});
