import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { JobOutputSchema } from "@flare-ts/contracts/wire";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { lineLogger } from "../logging/line-logger.js";
import { OutputArchive } from "../output/output-archive.js";
import { OutputService, type OutputServiceComponents } from "./output-service.js";

const jobId = "0b0e7c1c-5f0e-4a52-9a3f-5f5a4f4a7a12";

describe("OutputService", () => {
  it("keeps nothing in memory of a job that is over and that nobody reads", async () => {
    const { service, archive, folder, running } = await setUp();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await say(service, 1n, "a line");
    // What is remembered is read although its file is gone.
    await rm(folder, { recursive: true });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect((await archive.lines(jobId, 0, 10)).entries).toHaveLength(1);
    running.clear();
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await archive.lines(jobId, 0, 10)).entries).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes a batch once that comes again by a new stream while it is being written", async () => {
    const { service, archive } = await setUp();
    await Promise.all([say(service, 1n, "a line"), say(service, 1n, "a line"), say(service, 2n, "the next")]);
    expect((await archive.lines(jobId, 0, 10)).entries.map(({ text }) => text)).toEqual(["a line", "the next"]);
  });
});

async function say(service: OutputService, number: bigint, text: string): Promise<void> {
  const batch = create(JobOutputSchema, { jobId, epoch: "one start", number, lines: [{ atMs: 1n, source: "trainer", text }] });
  await service.hear("site-1", batch, { push: () => {} });
}

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "flare-output-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const running = new Set([jobId]);
  const archive = new OutputArchive({ folder });
  const jobs: OutputServiceComponents["jobs"] = {
    isParticipant: (job) => running.has(job),
    get: (job) => (running.has(job) ? ({} as never) : undefined),
  };
  const logger = lineLogger(undefined);
  const service = new OutputService({ archive, jobs, store: { job: async () => undefined }, logger, now: () => 0 });
  return { service, archive, folder, running };
}
