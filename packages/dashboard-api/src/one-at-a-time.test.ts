import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startDashboard } from "./start-dashboard.js";
import { testScryptCost } from "./test-dashboard.test-support.js";

let dataFolder: string;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), "flare-one-"));
});
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }));

const start = (init: object = {}) =>
  startDashboard({ dataFolder, port: 0, security: { kind: "clear" }, scryptCost: testScryptCost, ...init });

describe("a data folder", () => {
  it("is one dashboard's alone: a second one is refused, leaves the first undisturbed, and may have the folder afterwards", async () => {
    const first = await start();
    const { dir, remove } = await first.dashboard.parts.federation.transfers.take("somebody");
    await expect(start()).rejects.toMatchObject({ code: "dashboard/already-running" });
    expect(readdirSync(dir)).toEqual([]);
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
    await remove();
    await first.stop();
    await (await start()).stop();
  });

  it("is free again when a dashboard could not start", async () => {
    await expect(start({ pageFolder: join(dataFolder, "nothing") })).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
    await (await start()).stop();
  });
});
