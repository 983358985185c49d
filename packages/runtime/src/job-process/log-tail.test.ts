import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogTail } from "./log-tail.js";

let folder: string;
let file: string;
let heard: string[];
let tail: LogTail;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-tail-"));
  file = join(folder, "trainer.log");
  heard = [];
  tail = new LogTail({ take: async (lines) => void heard.push(...lines) }, { file, everyMs: 5 });
});
afterEach(async () => {
  await tail.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("the tail of a log", () => {
  it("gives whole lines as they are written, not what was there before, and the unfinished rest at the end", async () => {
    await writeFile(file, "old\n");
    await tail.start();
    await appendFile(file, "ep");
    await appendFile(file, "och 1\nepoch 2\r\nün");
    await expect.poll(() => heard).toEqual(["epoch 1", "epoch 2"]);
    await appendFile(file, "finished");
    await tail.stop();
    expect(heard).toEqual(["epoch 1", "epoch 2", "ünfinished"]);
  });

  it("begins again with a file that was cut off, waits for one that is not there yet, and cuts endless lines", async () => {
    await tail.start();
    await writeFile(file, `${"x".repeat(300_000)}\n`);
    await expect.poll(() => heard.length).toBe(1);
    expect(heard[0]?.length).toBeLessThanOrEqual(limits.logLineChars);
    await truncate(file, 0);
    await expect.poll(async () => (await appendFile(file, "new\n"), heard.includes("new"))).toBe(true);
  });

  it("hides what is to be hidden before it cuts a line, and in the unfinished rest too", async () => {
    tail = new LogTail(
      { take: async (lines) => void heard.push(...lines), hide: (lines) => lines.map((line) => line.replaceAll("s3cret", "(secret)")) },
      { file, everyMs: 5 },
    );
    await tail.start();
    await appendFile(file, `${"x".repeat(limits.logLineChars - 3)}s3cret\ntoken s3cret`);
    await expect.poll(() => heard.length).toBe(1);
    await tail.stop();
    expect(heard.filter((line) => line.includes("s3c"))).toEqual([]);
    expect(heard.at(-1)).toBe("token (secret)");
  });
});
