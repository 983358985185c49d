import { execFileSync, spawnSync } from "node:child_process";
import { appendFile, cp, mkdtemp, readFile, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

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
  it.each(["round-opened", "update-accepted"] as const)("of its server, full at '%s'", async (moment) => {
    const name = "server";
    federation = await createFederation({ sites });
    const kit = federation.kitOf(name);
    await useSmallDisk(kit);
    await federation.startAll();
    const folder = await mkdtemp(join(tmpdir(), "flare-full-"));
    await writeAddOneJob({ folder, rounds: 6, parameters: 500_000, minClients: 2, args: { min_clients: 2 } });
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(folder);
    admin.close();
    const pid = federation.pidOf(name);
    let freed: Promise<void> | undefined;
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (freed !== undefined || event.type !== moment || event.round !== 1) return;
      freed = freeWhenTold(kit);
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

/** Puts a kit onto a disk of 40 MB. */
async function useSmallDisk(kit: string): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), "flare-kit-"));
  await cp(kit, copy, { recursive: true, preserveTimestamps: true });
  execFileSync("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=40m,mode=700", "flare-test", kit]);
  disk = kit;
  await cp(copy, kit, { recursive: true, preserveTimestamps: true });
  await rm(copy, { recursive: true, force: true });
}

/** Room that is left for the log itself; a model of the job needs far more. */
const slackBytes = 128 * 1024;

/** Keeps the disk full, whatever the job frees meanwhile, until the log tells the operator why nothing moves; then makes room again. */
async function freeWhenTold(kit: string): Promise<void> {
  const ballast = join(kit, "ballast");
  try {
    await eventually("the log names the full disk", async () => {
      const { bavail, bsize } = await statfs(kit);
      const free = bavail * bsize - slackBytes;
      if (free > 0) await appendFile(ballast, Buffer.alloc(free)).catch(() => undefined);
      return /(disk|store).full"/.test(await readFile(join(kit, "log.json"), "utf8"));
    });
  } finally {
    await rm(ballast, { force: true });
  }
}

function mayMount(): boolean {
  const { status } = spawnSync("/usr/bin/unshare", ["--mount", "/usr/bin/mount", "-t", "tmpfs", "flare-test", tmpdir()]);
  return status === 0 && process.getuid?.() === 0;
}
