import { execFileSync, spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, statfs, writeFile } from "node:fs/promises";
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
    await writeAddOneJob({ folder, rounds: 3, parameters: 500_000, minClients: 2, args: { min_clients: 2 } });
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(folder);
    admin.close();
    const pid = federation.pidOf(name);
    let freed: Promise<void> | undefined;
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (freed !== undefined || event.type !== moment || event.round !== 1) return;
      const { bavail, bsize } = await statfs(kit);
      await writeFile(join(kit, "ballast"), Buffer.alloc(bavail * bsize)).catch(() => undefined);
      freed = freeWhenTold(kit);
    });
    await freed;
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
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

/** Makes room again as soon as the log tells the operator why nothing moves. */
async function freeWhenTold(kit: string): Promise<void> {
  try {
    await eventually("the log names the full disk", async () => /(disk|store).full"/.test(await readFile(join(kit, "log.json"), "utf8")));
  } finally {
    await rm(join(kit, "ballast"));
  }
}

function mayMount(): boolean {
  const { status } = spawnSync("/usr/bin/unshare", ["--mount", "/usr/bin/mount", "-t", "tmpfs", "flare-test", tmpdir()]);
  return status === 0 && process.getuid?.() === 0;
}
