import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimInstance, readInstance } from "./instance-lock.js";
import { identifyProcess } from "./process-identity.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the claim of a process on a workspace", () => {
  it("refuses a second one while the first is alive, and leaves the first undisturbed", async () => {
    const other = spawn("sleep", ["60"]);
    await once(other, "spawn");
    const identity = identifyProcess(other.pid ?? 0);
    const text = JSON.stringify({ ...identity, state: "ready", sinceMs: 1 });
    await writeFile(join(folder, "pid.fl"), text);
    expect(() => claimInstance(folder, 2)).toThrow(expect.objectContaining({ code: "runtime/already-running" }));
    expect(readInstance(folder)).toMatchObject({ pid: other.pid, state: "ready" });
    other.kill("SIGKILL");
    await once(other, "exit");
  });

  it("clears away what a process that was killed in the middle of its claim has left", async () => {
    const gone = spawn("true");
    await once(gone, "exit");
    await writeFile(join(folder, `pid.fl.${gone.pid}`), "");
    claimInstance(folder, 2);
    expect(await readdir(folder)).toEqual(["pid.fl"]);
  });

  it("is taken over from a dead process by one of two that try at the same moment", async () => {
    const folders = Array.from({ length: 200 }, (_, i) => join(folder, String(i)));
    for (const one of folders) {
      await mkdir(one);
      await writeFile(join(one, "pid.fl"), JSON.stringify({ pid: 1073741824, started: "1", state: "ready", sinceMs: 1 }));
    }
    const module = new URL("../../dist/process/instance-lock.js", import.meta.url).href;
    const program = `
      import { setTimeout as sleep } from "node:timers/promises";
      const { claimInstance } = await import(${JSON.stringify(module)});
      const begin = ${Date.now() + 1500};
      await sleep(begin - 50 - Date.now());
      const won = ${JSON.stringify(folders)}.filter((folder, i) => {
        while (Date.now() < begin + 5 * i);
        try { claimInstance(folder, 2); return true } catch { return false }
      });
      console.log(JSON.stringify(won));
      process.stdin.resume();`;
    const rivals = Array.from({ length: 2 }, () => spawn(process.execPath, ["--input-type=module", "--eval", program]));
    const won = await Promise.all(rivals.map(async ({ stdout }) => JSON.parse(String((await once(stdout, "data"))[0])) as string[]));
    for (const rival of rivals) rival.kill("SIGKILL");
    expect(won.flat().toSorted()).toEqual(folders.toSorted());
  });

  it("takes over what a dead process left, also when its number is in use again", async () => {
    await writeFile(join(folder, "pid.fl"), JSON.stringify({ pid: process.pid, started: "1", state: "ready", sinceMs: 1 }));
    const lock = claimInstance(folder, 2);
    lock.update("ready", 8002);
    expect(readInstance(folder)).toMatchObject({ pid: process.pid, state: "ready", port: 8002, sinceMs: 2 });
    lock.release();
    expect(readInstance(folder)).toBeUndefined();
  });
});
