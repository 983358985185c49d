import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger, type LogLine } from "./logger.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flare-log-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lines = (): readonly unknown[] =>
  readFileSync(join(folder, "kit", "log.json"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

describe("the log of a process", () => {
  it("has each line with level, time, what is bound and what is said, and goes on in the file that is there", () => {
    const heard: LogLine[] = [];
    for (const round of [1, 2]) {
      const log = createLogger({ folder: join(folder, "kit"), level: "info", onLine: (line) => heard.push(line) });
      log.logger.child({ job: "j1" }).info("round opened", { round, note: "a\nb", left: undefined });
      log.logger.debug("not at this level");
      log.close();
    }
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(lines()).toEqual([1, 2].map((round) => ({ level: "info", time, job: "j1", round, note: "a\nb", message: "round opened" })));
    expect(heard.map(({ message, fields }) => [message, fields["round"]])).toEqual([
      ["round opened", 1],
      ["round opened", 2],
    ]);
  });

  it("takes a word that comes after its end as nothing", () => {
    const log = createLogger({ folder: join(folder, "kit"), level: "info" });
    log.logger.info("before");
    log.close();
    log.close();
    log.logger.info("after");
    expect(lines()).toMatchObject([{ message: "before" }]);
  });
});
