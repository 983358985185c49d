import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { needsTool } from "../../../test/needs-tool.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { processScripts } from "./process-scripts.js";

/**
 * Stands in for the flare command: writes down its arguments and its process id, then behaves as the next line of
 * `plan` says: `stay` until TERM, or a status to exit with.
 */
const fakeFlare = `#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
{ printf '%s' "\${FLARE_TEST_PREFIX:-}"; printf '[%s]' "$@"; echo; } >>"$here/calls"
echo "\${FLARE_WATCHED:-}" >>"$here/watches"
plan=$(sed -n "$(wc -l <"$here/calls" | tr -d ' ')p" "$here/plan")
# Whoever sees the process id may send TERM at once.
[ "$plan" != stay ] || trap 'echo stopped >>"$here/stops"; exit 0' TERM
echo "$$" >>"$here/pids"
while [ "$plan" = stay ]; do sleep 0.1; done
exit "$plan"
`;

/** Runs the command at a pseudo-terminal, types the answer, and ends as the command does. */
const atTerminal = `
import os, pty, sys
answer, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
os.write(terminal, answer.encode())
output = b""
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    output += chunk
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(output.decode())
sys.exit(status)
`;

interface Stage {
  readonly kit: string;
  readonly bin: string;
  remove(): Promise<void>;
}

async function buildStage(): Promise<Stage> {
  const folder = await temporaryFolder();
  const kit = join(folder.dir, "kit of site-1's");
  const bin = join(folder.dir, "the bin");
  await mkdir(join(kit, "startup"), { recursive: true });
  await mkdir(bin);
  for (const { path, text, mode } of processScripts("client")) {
    await writeFile(join(kit, path), text);
    await chmod(join(kit, path), mode);
  }
  await writeFile(join(bin, "flare"), fakeFlare, { mode: 0o755 });
  return { kit, bin, remove: folder.remove };
}

const waiting = { timeout: 20_000, interval: 20 };

describe.each(["sh", "bash"])("under %s", (shell) => {
  let stage: Stage;
  let children: ChildProcess[];
  beforeEach(async () => {
    stage = await buildStage();
    children = [];
  });
  afterEach(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await Promise.all(
      children.map(async (child) => (child.exitCode === null && child.signalCode === null ? await once(child, "exit") : [])),
    );
    await stage.remove();
  });

  const start = async (
    script: string,
    plan: readonly string[],
    env: NodeJS.ProcessEnv = {},
    args: readonly string[] = [],
  ): Promise<ChildProcess> => {
    await writeFile(join(stage.bin, "plan"), `${plan.join("\n")}\n`);
    const child = spawn(shell, [join(stage.kit, "startup", script), ...args], {
      env: { PATH: `${stage.bin}:${process.env["PATH"] ?? ""}`, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      cwd: "/",
    });
    children.push(child);
    return child;
  };
  const lines = async (file: string): Promise<string[]> =>
    existsSync(join(stage.bin, file)) ? (await readFile(join(stage.bin, file), "utf8")).trimEnd().split("\n") : [];
  const exitOf = async (child: ChildProcess): Promise<unknown> => (child.exitCode ?? (await once(child, "exit"))[0]) as unknown;
  const count = async (file: string, wanted: number): Promise<void> => {
    await vi.waitFor(async () => {
      expect(await lines(file)).toHaveLength(wanted);
    }, waiting);
  };
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const pidFile = (): string => join(stage.kit, "daemon_pid.fl");

  it("start.sh and stop_fl.sh call the command with the kit's path", async () => {
    expect(await exitOf(await start("start.sh", ["0", "3"]))).toBe(0);
    expect(await exitOf(await start("stop_fl.sh", ["0", "3"]))).toBe(3);
    expect(await lines("calls")).toEqual([`[client][start][${stage.kit}][--daemon]`, `[client][stop][${stage.kit}]`]);
  });

  it("stop_fl.sh keeps its own options to itself and passes on the rest, each as one word", async () => {
    for (const flag of ["-y", "--yes"]) expect(await exitOf(await start("stop_fl.sh", ["0", "0"], {}, [flag, "--timeout", "5 s"]))).toBe(0);
    const passedOn = `[client][stop][${stage.kit}][--timeout][5 s]`;
    expect(await lines("calls")).toEqual([passedOn, passedOn]);
  });

  const answers: readonly [string, string[], number, number][] = [
    ["y\n", [], 0, 1],
    ["Yes\n", [], 0, 1],
    ["n\n", [], 1, 0],
    ["\n", [], 1, 0],
    ["", ["-y"], 0, 1],
  ];
  it.skipIf(needsTool("python3", "python3")).each(answers)(
    "stop_fl.sh at a terminal, answered %j with %j, ends with %i",
    async (answer, args, status, calls) => {
      await writeFile(join(stage.bin, "plan"), "0\n");
      const env = { PATH: `${stage.bin}:${process.env["PATH"] ?? ""}` };
      const command = [shell, join(stage.kit, "startup", "stop_fl.sh"), ...args];
      const result = spawnSync("python3", ["-c", atTerminal, answer, ...command], { env, encoding: "utf8", cwd: "/" });
      expect(result).toMatchObject({ status });
      expect(result.stdout.includes(`the client of ${stage.kit}`)).toBe(args.length === 0);
      expect(await lines("calls")).toHaveLength(calls);
    },
  );

  it("the interpreter and the program can be given, whatever spaces their paths have", async () => {
    const program = join(stage.bin, "flare");
    expect(await exitOf(await start("start.sh", ["0"], { PATH: process.env["PATH"], FLARE_NODE: "/bin/sh", FLARE_CLI: program }))).toBe(0);
    expect(await exitOf(await start("stop_fl.sh", ["0", "0"], { PATH: process.env["PATH"], FLARE_COMMAND: program }))).toBe(0);
    expect(await lines("calls")).toHaveLength(2);
  });

  it("sub_start.sh starts the process again after kill -9, and TERM stops both", async () => {
    const watchdog = await start("sub_start.sh", ["stay", "stay"]);
    await count("pids", 1);
    expect((await readFile(pidFile(), "utf8")).trim()).toBe(String(watchdog.pid));
    process.kill(Number((await lines("pids"))[0]), "SIGKILL");
    await count("pids", 2);
    watchdog.kill("SIGTERM");
    expect(await exitOf(watchdog)).toBe(0);
    expect(await lines("stops")).toEqual(["stopped"]);
    expect(isAlive(Number((await lines("pids"))[1]))).toBe(false);
    expect(existsSync(pidFile())).toBe(false);
    expect(await lines("calls")).toEqual(Array.from({ length: 2 }, () => `[client][start][${stage.kit}]`));
  });

  it.each(["0", "1", "2", "3", "4"])("sub_start.sh ends with the process when that ends by itself with %s", async (status) => {
    const watchdog = await start("sub_start.sh", [status]);
    expect(await exitOf(watchdog)).toBe(Number(status));
    expect(await lines("calls")).toHaveLength(1);
    expect(existsSync(pidFile())).toBe(false);
  });

  it("sub_start.sh starts the process again at once when that ends with 75, and ends with it when it is shut down after that", async () => {
    const watchdog = await start("sub_start.sh", ["75", "75", "0"]);
    expect(await exitOf(watchdog)).toBe(0);
    expect(await lines("calls")).toHaveLength(3);
    expect(await lines("watches")).toEqual(["on-failure", "on-failure", "on-failure"]);
  });

  it("sub_start.sh ends when there is no such command", async () => {
    const watchdog = await start("sub_start.sh", [], { FLARE_COMMAND: join(stage.bin, "nothing here") });
    expect(await exitOf(watchdog)).toBe(127);
    expect(existsSync(pidFile())).toBe(false);
  });

  it("sub_start.sh never gives up on a process that dies, and waits longer each time", async () => {
    const watchdog = await start("sub_start.sh", ["5", "137", "stay"]);
    let errors = "";
    watchdog.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
    await count("pids", 3);
    watchdog.kill("SIGTERM");
    expect(await exitOf(watchdog)).toBe(0);
    expect(await lines("calls")).toHaveLength(3);
    expect(errors).toContain("the client ended with status 5; starting it again in 1 s");
    expect(errors).toContain("the client ended with status 137; starting it again in 2 s");
    expect(existsSync(pidFile())).toBe(false);
  });

  it("sub_start.sh never gives up on a process that was well and died, whatever is in its way for a while", async () => {
    // Each run lasts twenty seconds by this clock.
    const clock = `#!/bin/sh\n[ "$1" = +%s ] || { echo now; exit; }\necho >>"\${0%/*}/ticks"\nexpr 20 \\* "$(wc -l <"\${0%/*}/ticks")"\n`;
    await writeFile(join(stage.bin, "date"), clock, { mode: 0o755 });
    const watchdog = await start("sub_start.sh", ["137", "1", "127", "2", "stay"]);
    await count("pids", 5);
    watchdog.kill("SIGTERM");
    expect(await exitOf(watchdog)).toBe(0);
    const other = await start("sub_start.sh", ["0", "0", "0", "0", "0", "137", "4"]);
    expect(await exitOf(other)).toBe(4);
  });

  it("a second sub_start.sh leaves the first alone; one that died does not stand in the way", async () => {
    const first = await start("sub_start.sh", ["stay", "0"]);
    await count("pids", 1);
    expect(await exitOf(await start("sub_start.sh", ["stay", "0"]))).toBe(1);
    expect((await readFile(pidFile(), "utf8")).trim()).toBe(String(first.pid));
    expect(await lines("calls")).toHaveLength(1);
    first.kill("SIGTERM");
    await exitOf(first);
    await writeFile(pidFile(), "1073741824\n");
    expect(await exitOf(await start("sub_start.sh", ["stay", "0"]))).toBe(0);
  });

  it("a sub_start.sh of another kit that has got the number of one that died does not stand in the way", async () => {
    const other = await start("sub_start.sh", ["stay", "0"]);
    await count("pids", 1);
    const copy = join(stage.bin, "copy of the kit");
    await cp(stage.kit, copy, { recursive: true });
    await writeFile(join(copy, "daemon_pid.fl"), `${other.pid}\n`);
    const env = { PATH: `${stage.bin}:${process.env["PATH"] ?? ""}` };
    expect(spawnSync(shell, [join(copy, "startup", "sub_start.sh")], { env, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    expect((await readFile(pidFile(), "utf8")).trim()).toBe(String(other.pid));
  });

  it("a second sub_start.sh that is started by another path leaves the first alone", async () => {
    const first = await start("sub_start.sh", ["stay", "0"]);
    await count("pids", 1);
    const env = { PATH: `${stage.bin}:${process.env["PATH"] ?? ""}` };
    const second = spawnSync(shell, ["./sub_start.sh"], { env, encoding: "utf8", cwd: join(stage.kit, "startup") });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`already running as process ${first.pid}`);
  });

  it("TERM at any moment of a start reaches the process", async () => {
    await writeFile(join(stage.bin, "plan"), "");
    // Ends by any TERM that reaches it; by none, never.
    await writeFile(join(stage.bin, "flare"), "#!/bin/sh\nexec sleep 300\n");
    const tryOnce = async (afterMs: number): Promise<void> => {
      await rm(pidFile(), { force: true });
      const watchdog = await start("sub_start.sh", []);
      await sleep(afterMs);
      watchdog.kill("SIGTERM");
      const again = setTimeout(() => {
        timesIgnored += 1;
        watchdog.kill("SIGTERM");
      }, 5_000);
      // No status when it had not come so far as to catch the signal.
      expect([0, null]).toContain(await exitOf(watchdog));
      clearTimeout(again);
    };
    // bash forgets a signal that comes while it sets its trap or begins to wait: one in some thousand of these moments.
    let timesIgnored = 0;
    for (let i = 0; i < 40; i++) await tryOnce(i / 5);
    expect(timesIgnored).toBeLessThan(2);
  });

  it("TERM between two starts ends sub_start.sh at once", async () => {
    const watchdog = await start("sub_start.sh", ["5", "stay"]);
    await new Promise<void>((said) => watchdog.stderr?.once("data", () => said()));
    watchdog.kill("SIGTERM");
    expect(await exitOf(watchdog)).toBe(0);
    expect(existsSync(pidFile())).toBe(false);
  });
});
