import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemStallClock } from "../progress/stall-clock.js";
import { spawnTrainer, type TrainerProcess } from "./trainer-process.js";

describe("TrainerProcess", () => {
  it("signals nobody once its trainer is gone, whose number may be another's by then", async () => {
    const kill = vi.spyOn(process, "kill");
    onTestFinished(() => kill.mockRestore());
    const trainer = await spawnShell("exit 0");
    await expect(trainer.start(new AbortController().signal)).rejects.toMatchObject({ code: "client-api/trainer-died" });
    // Once for what the trainer may have started.
    expect(kill).toHaveBeenCalledTimes(1);
    trainer.kill();
    await trainer.end(true);
    await trainer.stop("test over");
    expect(kill).toHaveBeenCalledTimes(1);
  });

  it("leaves nothing behind when its program cannot be started", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    await expect(spawnProgram("no-such-program")).rejects.toMatchObject({ code: "client-api/launch-failed" });
    expect(vi.getTimerCount()).toBe(0);
  });
});

async function spawnShell(script: string): Promise<TrainerProcess> {
  return await spawnProgram("sh", "-c", script);
}

async function spawnProgram(file: string, ...args: string[]): Promise<TrainerProcess> {
  const folder = await mkdtemp(join(tmpdir(), "flare-trainer-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return await spawnTrainer({
    clock: systemStallClock,
    command: { file, args, env: {}, cwd: folder },
    welcome: {} as never,
    launchTimeoutMs: 10_000,
    stallMs: 10_000,
    stopGracePeriodMs: 5_000,
    secrets: [],
    logFile: join(folder, "trainer.log"),
    onLog: () => {},
    onMove: () => {},
    onUnwanted: () => {},
  });
}
