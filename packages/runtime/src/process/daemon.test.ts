import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startDaemon, stopDaemon } from "./daemon.js";
import { identifyProcess } from "./process-identity.js";

/** For other processes. */
const built = new URL("../../dist/process/daemon.js", import.meta.url).href;

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

  it("that has just been started and forgot the first signal is told again, an older one is not", async () => {
    const script = "trap 'trap - TERM' TERM; echo; exec 1>&-; while :; do sleep 0.1; done";
    const [young, old] = [await makeKit(script), await makeKit(script)];
    const [newcomer, elder] = [await startWatchdog(young), await startWatchdog(old)];
    const signals = Promise.all([newcomer, elder].map(async (one) => (await once(one, "exit"))[1] as unknown));
    await utimes(join(old, "daemon_pid.fl"), 1, 1);
    await Promise.all([stopDaemon(young, { timeoutMs: 20_000 }), stopDaemon(old, { timeoutMs: 2_500 })]);
    expect(await signals).toEqual(["SIGTERM", "SIGKILL"]);
  });

  it("that ends at once, and takes its file along, is stopped", async () => {
    const kits = await Promise.all(
      Array.from({ length: 12 }, () =>
        makeKit('trap \'rm -f "$(dirname "$0")/../daemon_pid.fl"; exit\' TERM; echo; exec 1>&-; while :; do sleep 0.01; done'),
      ),
    );
    for (const kit of kits) {
      await startWatchdog(kit);
      expect(await stopDaemon(kit, { timeoutMs: 5_000 })).toBe("stopped");
    }
  });

  it("is ended with its start, also before it has said that it is there", async () => {
    const kit = await makeKit(`cd "$(dirname "$0")/.."; echo $$ >began; sleep 0.3; echo $$ >daemon_pid.fl; while :; do sleep 0.05; done`);
    const stop = new AbortController();
    const start = startDaemon({ kitDir: kit, command: { node: process.execPath, cli: "" }, signal: stop.signal });
    await vi.waitFor(async () => expect(await readFile(join(kit, "began"), "utf8")).toMatch(/^\d+\n$/), 5_000);
    const pid = Number(await readFile(join(kit, "began"), "utf8"));
    stop.abort();
    await expect(start).rejects.toMatchObject({ code: "internal/aborted" });
    expect(identifyProcess(pid)).toBeUndefined();
  });

  // Only root can run something as another account.
  it.runIf(process.getuid?.() === 0)("of another account is neither said to be gone nor waited for without an end", async () => {
    const kit = await makeKit();
    await chmod(kit, 0o755);
    const watchdog = await startWatchdog(kit);
    expect(await asNobody(`stopDaemon(${JSON.stringify(kit)}, { timeoutMs: 100 })`)).toBe("runtime/not-permitted");
    await writeFile(join(kit, "pid.fl"), JSON.stringify(identifyProcess(process.pid)), { mode: 0o600 });
    expect(await asNobody(`daemonStatus(${JSON.stringify(kit)})`)).toBe("file/unreadable");
    expect(watchdog).toMatchObject({ exitCode: null, signalCode: null });
  });
});

/** What a call of `daemon.ts` comes to for an account that has nothing: the code of its error, or its result. */
async function asNobody(call: string): Promise<string> {
  const code = `import { daemonStatus, stopDaemon } from ${JSON.stringify(built)};
    try { console.log(JSON.stringify(await ${call})) } catch (error) { console.log(error.code) }`;
  const nobody = 65_534;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
    cwd: "/",
    uid: nobody,
    gid: nobody,
  });
  return stdout.trim();
}

async function makeKit(script = "echo; exec 1>&-; while :; do sleep 0.1; done"): Promise<string> {
  const kit = await mkdtemp(join(tmpdir(), "flare-daemon-"));
  onTestFinished(() => rm(kit, { recursive: true, force: true }));
  await mkdir(join(kit, "startup"));
  await writeFile(join(kit, "startup", "sub_start.sh"), script);
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
