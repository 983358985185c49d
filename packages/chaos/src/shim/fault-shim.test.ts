import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ShimControl } from "./shim-control.js";

/** A job process may read the code of all packages. */
const dist = fileURLToPath(new URL("../../dist", import.meta.url));

let folder: string;
let control: ShimControl;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-shim-"));
  control = new ShimControl(join(folder, "orders.json"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs a program under the shim; it prints JSON. */
async function run(program: string): Promise<unknown> {
  const file = join(folder, "program-job-main.js");
  await writeFile(file, program);
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, folder], {
    env: { ...process.env, ...control.environment() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  await once(child, "close");
  return JSON.parse(printed);
}

describe("the shim in a process of a federation", () => {
  it("changes nothing without orders", async () => {
    const program = `
      import { writeFile } from "node:fs/promises";
      await writeFile(process.argv[1] + "/a", "x");
      console.log(JSON.stringify({ now: Date.now(), date: new Date().getTime(), old: new Date(5).getTime(), isDate: new Date() instanceof Date }));`;
    const { now, date, old, isDate } = (await run(program)) as { now: number; date: number; old: number; isDate: boolean };
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
    expect(Math.abs(date - now)).toBeLessThan(1_000);
    expect({ old, isDate }).toEqual({ old: 5, isDate: true });
  });

  it("moves the clock as it is ordered, while the process runs, and no timer", async () => {
    control.order({ clockOffsetMs: -3_600_000 });
    const program = `
      import { writeFileSync } from "node:fs";
      import { setTimeout as sleep } from "node:timers/promises";
      const before = Date.now(), steady = performance.now();
      writeFileSync(process.argv[1] + "/orders.json", JSON.stringify({ clockOffsetMs: 3_600_000, isDiskFull: false }));
      while (Date.now() - before < 3_600_000) await sleep(5);
      console.log(JSON.stringify({ before, after: new Date().getTime(), steady: performance.now() - steady }));`;
    const { before, after, steady } = (await run(program)) as { before: number; after: number; steady: number };
    expect(before - Date.now()).toBeLessThan(-3_500_000);
    expect(after - Date.now()).toBeGreaterThan(3_500_000);
    expect(steady).toBeLessThan(30_000);
  });

  it("fails each write of a full disk with ENOSPC, whichever way it is made, but not those to the terminal", async () => {
    control.order({ isDiskFull: true });
    const program = `
      import { open, writeFile, appendFile, mkdir } from "node:fs/promises";
      import { writeFileSync, openSync, writeSync } from "node:fs";
      const path = process.argv[1] + "/file";
      const codes = [];
      const attempt = async (action) => { try { await action(); codes.push("written"); } catch (error) { codes.push(error.code); } };
      const handle = await open(path, "w");
      await attempt(() => handle.write("x"));
      await attempt(() => handle.writeFile("x"));
      await attempt(() => writeFile(path, "x"));
      await attempt(() => appendFile(path, "x"));
      await attempt(() => mkdir(path + "-folder"));
      await attempt(() => writeFileSync(path, "x"));
      await attempt(() => writeSync(openSync(path, "w"), "x"));
      await handle.close();
      writeSync(1, JSON.stringify(codes));`;
    expect(await run(program)).toEqual(Array.from({ length: 7 }, () => "ENOSPC"));
  });

  it("goes along into job processes, which get neither NODE_OPTIONS nor variables", async () => {
    control.order({ clockOffsetMs: 3_600_000 });
    await writeFile(join(folder, "x-job-main.js"), "process.stdout.write(String(Date.now()))");
    const program = `
      import { spawn } from "node:child_process";
      const flags = ["--permission", "--allow-fs-read=" + process.argv[1], "--allow-fs-read=${dist}"];
      spawn(process.execPath, [...flags, process.argv[1] + "/x-job-main.js"], { env: {}, stdio: ["ignore", "inherit", "inherit"] });`;
    expect(Number(await run(program)) - Date.now()).toBeGreaterThan(3_500_000);
  });
});
