import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { daemonNodeOptions } from "./young-space.js";

/** Young objects that live for a while, and then the MiB that V8 keeps for such. */
const program = `
const kept = [];
for (let i = 0; i < 1e6; i++) kept[i % 100_000] = [i];
const { physical_space_size: bytes } = require("node:v8").getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
console.log(bytes / 2 ** 20);
`;

describe("the young space of a server", () => {
  it("stays small, whatever lives in it", async () => {
    const env = { ...process.env, NODE_OPTIONS: daemonNodeOptions("server") };
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], { env });
    expect(Number(stdout)).toBeLessThanOrEqual(12);
  });

  it("is what was asked for where something was", () => {
    expect(daemonNodeOptions("server", undefined, "--max-semi-space-size=32", "")).toMatch(/--max-semi-space-size=32$/);
    expect(daemonNodeOptions("server", undefined, "")).not.toContain("undefined");
  });
});
