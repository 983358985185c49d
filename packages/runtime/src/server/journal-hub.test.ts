import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JournalEntry } from "../job/job-event.js";
import type { ServerStore } from "../store/server-store.js";
import { openSqliteServerStore } from "../store/sqlite-server-store.js";
import { JournalHub } from "./journal-hub.js";

const jobId = "0b8f2c1e-5d7a-4f6e-9c3b-1a2b3c4d5e6f";
let folder: string;
let store: ServerStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-hub-"));
  store = await openSqliteServerStore({ path: join(folder, "server.db") });
  const signedJob = { hash: "a".repeat(64) as never, size: 1 };
  await store.addJob({
    jobId,
    name: "job",
    study: "default",
    submitterName: "a@b.org",
    submitterOrg: "org",
    submitterRole: "lead",
    submitTimeMs: 1,
    signedJob,
  });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

describe("the journal of a job", () => {
  it("is heard by each follower from its start, in order, each entry once, whenever the follower comes", async () => {
    const hub = new JournalHub({ store, now: () => 7 });
    const early: JournalEntry[] = [];
    const late: JournalEntry[] = [];
    await hub.follow(jobId, (entry) => early.push(entry));
    const writes = Array.from({ length: 10 }, (_, round) => hub.append(jobId, { type: "deadline-passed", round }));
    const stopLate = hub.follow(jobId, (entry) => late.push(entry));
    await Promise.all(writes);
    (await stopLate)();
    await hub.append(jobId, { type: "deadline-passed", round: 10 });
    expect(early.map((entry) => entry.seq)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
    expect(late.map((entry) => entry.seq)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
  });
});
