import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { lineLogger } from "../logging/line-logger.js";
import type { LogLevel } from "../logging/logger.js";
import { type Ending, type Watch, watchOf } from "./ending.js";
import { machineResources } from "./machine-resources.js";
import { OwnProcess } from "./own-process.js";

const by = "a@b.org";

function setUp(watch?: Watch) {
  const ends: Ending[] = [];
  const levels: LogLevel[] = [];
  const set = (level: LogLevel): LogLevel => {
    levels.push(level);
    return level;
  };
  const machine = { workspace: tmpdir(), maxMemoryBytes: 5, maxDiskBytes: undefined, gpus: undefined, forJobs: undefined };
  const own = new OwnProcess(
    {
      logLevel: { set, reload: async () => set("warn") },
      resources: () => machineResources(machine),
      end: (ending) => ends.push(ending),
      logger: lineLogger(undefined),
    },
    { watch },
  );
  return { own, ends, levels };
}

it("ends once, after it has said so, however many ask", async () => {
  const { own, ends } = setUp("on-failure");
  await own.perform({ verb: "restart", by });
  await own.perform({ verb: "shutdown", by });
  expect(ends).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual([{ how: "restart", by }]);
});

it("does not restart where nobody would start it again, and may be shut down there", async () => {
  const { own } = setUp();
  await expect(own.perform({ verb: "restart", by })).rejects.toMatchObject({ code: "runtime/not-watched" });
  expect(await own.perform({ verb: "shutdown", by })).toEqual({});
});

it("logs as it is told, or as its file says", async () => {
  const { own, levels } = setUp();
  expect(await own.perform({ verb: "configure_site_log", by, level: "debug" })).toEqual({ level: "debug" });
  expect(await own.perform({ verb: "configure_site_log", by, level: "reload" })).toEqual({ level: "warn" });
  expect(levels).toEqual(["debug", "warn"]);
  await expect(own.perform({ verb: "configure_site_log", by })).rejects.toMatchObject({ code: "runtime/invalid-argument" });
});

it("says what it runs on, and nothing else", async () => {
  const told = await setUp().own.perform({ verb: "report_resources", by });
  expect(Object.keys(told as object).toSorted()).toEqual(
    [
      "cpus",
      "diskBytes",
      "freeDiskBytes",
      "freeMemoryBytes",
      "forJobs",
      "gpus",
      "maxDiskBytes",
      "maxMemoryBytes",
      "memoryBytes",
      "platform",
    ].toSorted(),
  );
  expect(told).toMatchObject({ maxMemoryBytes: 5, maxDiskBytes: null, gpus: null, forJobs: null });
});

it.each([
  ["on-failure", "on-failure"],
  ["always", "always"],
  ["yes", undefined],
  [undefined, undefined],
])("FLARE_WATCHED=%s is taken for %s", (text, watch) => {
  expect(watchOf({ FLARE_WATCHED: text })).toBe(watch);
});
