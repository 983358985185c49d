import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BoundedLog, earlierLog } from "./bounded-log.js";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-log-"));
  file = join(folder, "trainer.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the log of a trainer that prints without end", () => {
  it("begins anew, and what it held is beside it", async () => {
    await writeFile(file, "first\n".repeat(20));
    const log = new BoundedLog({ file, mostBytes: 100, everyMs: 5 });
    await expect.poll(async () => (await stat(file)).size).toBe(0);
    await appendFile(file, "second\n".repeat(20));
    await expect.poll(() => readFile(earlierLog(file), "utf8")).toMatch(/^(second\n){20}$/);
    await expect.poll(async () => (await stat(file)).size).toBe(0);
    await log.stop();
    await appendFile(file, "third\n".repeat(20));
    expect((await stat(file)).size).toBe(120);
  });

  it("is left alone while it is small, and when it is gone", async () => {
    await writeFile(file, "few words");
    const log = new BoundedLog({ file, mostBytes: 100, everyMs: 5 });
    await rm(file);
    await writeFile(file, "other words");
    await log.stop();
    expect(await readFile(file, "utf8")).toBe("other words");
    await expect(stat(earlierLog(file))).rejects.toThrow("ENOENT");
  });
});
