import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stopDaemon } from "./daemon.js";

// Only there does the system say what a process runs.
describe.runIf(process.platform === "linux")("a kit's watchdog", () => {
  it.each(["by its path", "from its folder"])("is stopped when it was started %s", async (how) => {
    const kit = await makeKit();
    const watchdog = await startWatchdog(kit, how === "by its path" ? undefined : kit);
    const ended = once(watchdog, "exit");
    expect(await stopDaemon(kit, { timeoutMs: 5_000 })).toBe("stopped");
    expect(await ended).toEqual([null, "SIGTERM"]);
  });

  it("is none that runs another kit and has got the number of one that is gone", async () => {
    const [kit, other] = [await makeKit(), await makeKit()];
    const watchdog = await startWatchdog(other);
    await writeFile(join(kit, "daemon_pid.fl"), `${watchdog.pid}\n`);
    expect(await stopDaemon(kit, { timeoutMs: 5_000 })).toBe("not-running");
    expect(watchdog).toMatchObject({ exitCode: null, signalCode: null });
  });
});

async function makeKit(): Promise<string> {
  const kit = await mkdtemp(join(tmpdir(), "flare-daemon-"));
  onTestFinished(() => rm(kit, { recursive: true, force: true }));
  await mkdir(join(kit, "startup"));
  await writeFile(join(kit, "startup", "sub_start.sh"), "echo; exec 1>&-; while :; do sleep 0.1; done");
  return kit;
}

/** Starts a kit's watchdog by hand, by its whole path or by what is left of it in `cwd`. */
async function startWatchdog(kit: string, cwd?: string): Promise<ChildProcess> {
  const script = join("startup", "sub_start.sh");
  const watchdog = spawn("sh", [cwd === undefined ? join(kit, script) : script], { cwd, stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void watchdog.kill("SIGKILL"));
  await once(watchdog.stdout, "data");
  await writeFile(join(kit, "daemon_pid.fl"), `${watchdog.pid}\n`);
  return watchdog;
}
