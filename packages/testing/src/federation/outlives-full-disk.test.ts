import { execFileSync, spawnSync } from "node:child_process";
import { appendFile, cp, mkdtemp, readdir, readFile, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { daemonStatus } from "@flare-ts/runtime";
import type { JobEvent } from "@flare-ts/runtime/admin";
import { afterEach, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf, processesWith } from "./process-tree.js";

const sites = ["site-1", "site-2"];
let federation: Federation | undefined;
let disk: string | undefined;

afterEach(async () => {
  await Promise.all([...sites, "server"].map(async (name) => federation?.stop(name)));
  if (disk !== undefined) execFileSync("/usr/bin/umount", [disk]);
  disk = undefined;
  await federation?.dispose();
});

// A small disk of its own needs the right to mount one, as in most containers of CI.
describe.runIf(mayMount())("a job outlives a full disk, which the log names, and goes on when there is space", () => {
  it.each<["server" | "site-1", JobEvent["type"]]>([
    ["server", "round-opened"],
    ["server", "update-accepted"],
    ["site-1", "round-opened"],
  ])("of %s, full at '%s'", async (name, moment) => {
    federation = await createFederation({ sites });
    const kit = federation.kitOf(name);
    await useSmallDisk(kit);
    await federation.startAll();
    const folder = await mkdtemp(join(tmpdir(), "flare-full-"));
    await writeAddOneJob({ folder, rounds: 6, trainMs: 200, parameters: 500_000, minClients: 2, args: { min_clients: 2 } });
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(folder);
    admin.close();
    const pid = federation.pidOf(name);
    let freed: Promise<void> | undefined;
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (freed !== undefined || event.type !== moment || !("round" in event) || event.round !== 1) return;
      freed = freeWhenTold(kit, jobId);
    });
    await freed;
    expect(entries.at(-1)?.event).toEqual({
      type: "job-ended",
      status: "FINISHED:COMPLETED",
      reason: expect.stringContaining("rounds are done") as string,
    });
    expect(federation.pidOf(name)).toBe(pid);
    await rm(folder, { recursive: true, force: true });
  });
});

// A small disk of its own needs the right to mount one.
it.runIf(mayMount())("a job that ends while a site's disk is full ends there at once, and leaves nothing", async () => {
  federation = await createFederation({ sites });
  const kit = federation.kitOf("site-1");
  await useSmallDisk(kit);
  await federation.startAll();
  const folder = await mkdtemp(join(tmpdir(), "flare-full-"));
  await writeAddOneJob({ folder, rounds: 2, trainMs: 600_000, parameters: 500_000, minClients: 2, args: { min_clients: 2 } });
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(folder);
  const below = (): readonly unknown[] => processesWith(jobId).filter(({ commandLine }) => commandLine.includes(kit));
  await eventually("the site works on the job", () => below().length > 0);
  const full = mountedFull(kit);
  await full.filled;
  await admin.abortJob(jobId, "a test");
  admin.close();
  try {
    await eventually("nothing of the job runs at the site", () => below().length === 0);
  } finally {
    await full.free();
  }
  const objects = async (): Promise<number> => {
    const entries = await readdir(join(kit, "models", "objects"), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  };
  await eventually("the site keeps nothing of the job", async () => (await objects()) === 0);
  expect(daemonStatus(kit).state).toBe("ready");
  await rm(folder, { recursive: true, force: true });
});

// A small disk of its own needs the right to mount one.
it.runIf(mayMount())("a server that is killed while its disk is full comes back by itself when there is space", async () => {
  federation = await createFederation({ sites: [] });
  const kit = federation.kitOf("server");
  await useSmallDisk(kit);
  await federation.start("server");
  const pid = federation.pidOf("server") ?? 0;
  const { watchdogPid = 0 } = daemonStatus(kit) as { watchdogPid?: number };
  const full = mountedFull(kit);
  await full.filled;
  process.kill(pid, "SIGKILL");
  const again = await eventually("the watchdog starts it again", () =>
    // The one that was killed may still be there for a moment.
    descendantsOf(watchdogPid).find((one) => one.pid !== pid && one.commandLine.includes("server start")),
  );
  // Long enough for a process that does not wait to have ended.
  await sleep(3_000);
  await full.free();
  await eventually("the server is ready", () => daemonStatus(kit).state === "ready");
  expect(federation.pidOf("server")).toBe(again.pid);
});

/** Keeps a disk full to its last block. */
function mountedFull(kit: string): { readonly filled: Promise<void>; free(): Promise<void> } {
  const ballast = join(kit, "ballast");
  const fill = async (): Promise<void> => {
    let bytes = 8 * 1024 * 1024;
    while (bytes >= 1) {
      try {
        await appendFile(ballast, Buffer.alloc(bytes));
      } catch {
        bytes = Math.floor(bytes / 2);
      }
    }
  };
  const filled = fill();
  let last = filled;
  const timer = setInterval(() => {
    last = last.then(fill);
  }, 100);
  return {
    filled,
    free: async () => {
      clearInterval(timer);
      await last;
      await rm(ballast, { force: true });
    },
  };
}

/** Puts a kit onto a disk of 40 MB. */
async function useSmallDisk(kit: string): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), "flare-kit-"));
  await cp(kit, copy, { recursive: true, preserveTimestamps: true });
  execFileSync("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=40m,mode=700", "flare-test", kit]);
  disk = kit;
  await cp(copy, kit, { recursive: true, preserveTimestamps: true });
  await rm(copy, { recursive: true, force: true });
}

/** Room that is left for the logs themselves; a model of the job needs far more. */
const slackBytes = 128 * 1024;

/** Keeps the disk full, whatever the job frees meanwhile, until a log tells the operator why nothing moves; then makes room again. */
async function freeWhenTold(kit: string, jobId: string): Promise<void> {
  const ballast = join(kit, "ballast");
  try {
    await eventually("the log names the full disk", async () => {
      const { bavail, bsize } = await statfs(kit);
      const free = bavail * bsize - slackBytes;
      if (free > 0) await appendFile(ballast, Buffer.alloc(free)).catch(() => undefined);
      const logs = ["log.json", join(jobId, "log.json"), join(jobId, "trainer.log")].map((name) =>
        readFile(join(kit, name), "utf8").catch(() => ""),
      );
      return /(disk|store).full"|no space is left/.test((await Promise.all(logs)).join());
    });
  } finally {
    await rm(ballast, { force: true });
  }
}

function mayMount(): boolean {
  const { status } = spawnSync("/usr/bin/unshare", ["--mount", "/usr/bin/mount", "-t", "tmpfs", "flare-test", tmpdir()]);
  return status === 0 && process.getuid?.() === 0;
}
