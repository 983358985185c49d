import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimInstance, readInstance } from "./instance-lock.js";
import { identifyProcess } from "./process-identity.js";

/** For other processes. */
const built = new URL("../../dist/process/instance-lock.js", import.meta.url).href;

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

  it("is taken over from a dead process by one of several that try at the same moment", async () => {
    const folders = Array.from({ length: 100 }, (_, i) => join(folder, String(i)));
    for (const one of folders) {
      await mkdir(one);
      await writeFile(join(one, "pid.fl"), JSON.stringify({ pid: 1073741824, started: "1", state: "ready", sinceMs: 1 }));
    }
    const program = `
      import { setTimeout as sleep } from "node:timers/promises";
      const { claimInstance } = await import(${JSON.stringify(built)});
      const begin = ${Date.now() + 1500};
      await sleep(begin - 50 - Date.now());
      const won = ${JSON.stringify(folders)}.filter((folder, i) => {
        while (Date.now() < begin + 5 * i);
        try { claimInstance(folder, 2); return true } catch { return false }
      });
      console.log(JSON.stringify(won));
      process.stdin.resume();`;
    const rivals = Array.from({ length: 4 }, () => spawn(process.execPath, ["--input-type=module", "--eval", program]));
    const won = await Promise.all(rivals.map(async ({ stdout }) => JSON.parse(String((await once(stdout, "data"))[0])) as string[]));
    for (const rival of rivals) rival.kill("SIGKILL");
    expect(won.flat().toSorted()).toEqual(folders.toSorted());
    for (const one of folders) expect(await readdir(one)).toEqual(["pid.fl"]);
  });

  it("is taken over by one process, in whatever moments of that two others take it over too", async () => {
    const owners: Record<string, number> = {};
    // Before these of its steps the first process lets another one claim from beginning to end.
    for (const steps of [1, 2, 3, 4].flatMap((one) => [one, one + 1, one + 2].map((other) => [one, other] as const))) {
      const one = join(folder, steps.join("-"));
      await mkdir(one);
      await writeFile(join(one, "pid.fl"), JSON.stringify({ pid: 1073741824, started: "1", state: "ready", sinceMs: 1 }));
      owners[steps.join("-")] = await claimsAtSteps(one, steps);
    }
    expect(owners).toEqual(Object.fromEntries(Object.keys(owners).map((steps) => [steps, 1])));
  });

  it("is taken over when those that were about to do so are gone too, once or with half-written files", async () => {
    const dead = (pid: number): string => JSON.stringify({ pid, started: "1", state: "ready", sinceMs: 1 });
    await writeFile(join(folder, "pid.fl"), dead(1073741824));
    await writeFile(join(folder, "pid.fl.after.1073741824-1"), dead(1073741825));
    await writeFile(join(folder, "pid.fl.after.1073741825-1.0"), "");
    await writeFile(join(folder, "pid.fl.after.nobody.1"), "");
    claimInstance(folder, 2);
    expect(readInstance(folder)).toMatchObject({ pid: process.pid });
    expect(await readdir(folder)).toEqual(["pid.fl"]);
  });

  it("is left to the one that is about to take it over", async () => {
    await writeFile(join(folder, "pid.fl"), "");
    const heir = spawn("sleep", ["60"]);
    await once(heir, "spawn");
    await writeFile(join(folder, "pid.fl.after.nobody"), JSON.stringify(identifyProcess(heir.pid ?? 0)));
    expect(() => claimInstance(folder, 2)).toThrow(expect.objectContaining({ code: "runtime/already-running" }));
    expect(await readdir(folder)).toEqual(["pid.fl", "pid.fl.after.nobody"]);
    heir.kill("SIGKILL");
    await once(heir, "exit");
    claimInstance(folder, 2);
    expect(await readdir(folder)).toEqual(["pid.fl"]);
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

/** Claims a folder, and lets two other processes that live on do so before some steps of that; how many of the three then have it. */
async function claimsAtSteps(claimed: string, steps: readonly number[]): Promise<number> {
  const claim = `
    const { claimInstance } = await import(${JSON.stringify(built)});
    const claim = () => { try { claimInstance(${JSON.stringify(claimed)}, 2); return "won" } catch { return "lost" } };`;
  const rival = `${claim}
    const { renameSync, writeFileSync } = await import("node:fs");
    writeFileSync(process.argv[1] + ".part", claim() + " " + process.pid);
    renameSync(process.argv[1] + ".part", process.argv[1]);
    setInterval(() => {}, 1000);`;
  const first = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    import { spawn } from "node:child_process";
    const { existsSync, linkSync, renameSync } = fs;
    let step = 0;
    const rivals = [];
    const before = (real) => (...args) => {
      step += 1;
      for (const at of ${JSON.stringify(steps)}) {
        if (at !== step) continue;
        const said = ${JSON.stringify(claimed)} + "-" + rivals.length;
        rivals.push(said);
        spawn(process.execPath, ["--input-type=module", "--eval", ${JSON.stringify(rival)}, said], { stdio: "ignore", detached: true });
        // Stands still as a process does in the middle of a step, without taking the processor from the others.
        while (!existsSync(said)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
      return real(...args);
    };
    fs.linkSync = before(linkSync);
    fs.renameSync = before(renameSync);
    syncBuiltinESMExports();
    ${claim}
    const words = [claim(), ...rivals.map((said) => fs.readFileSync(said, "utf8"))];
    for (const word of words.slice(1)) process.kill(Number(word.split(" ")[1]), "SIGKILL");
    console.log(words.filter((word) => word.startsWith("won")).length);
    process.exit(0);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", first], { stdio: ["ignore", "pipe", "inherit"] });
  return Number(String((await once(child.stdout, "data"))[0]));
}
