import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeFederation } from "./federation/fake-federation.test-support.js";
import { createDashboardLogger } from "./logging/dashboard-logger.js";
import { openDashboard } from "./open-dashboard.js";
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

  it.skipIf(!existsSync("/proc/self"))("is refused at once where none can be made", async () => {
    const nowhere = "/proc/no/such/folder";
    await expect(createDashboardLogger({ folder: nowhere })).rejects.toMatchObject({ code: "file/unwritable" });
    await expect(openDashboard({ dataFolder: nowhere })).rejects.toMatchObject({ code: "file/unwritable" });
  });

  it.each([
    ["a mail server's address", { smtp: { url: "ftp://mail.example.org", from: "flare@example.org" } }],
    ["a password in it", { smtp: { url: "smtp://flare:100%@mail.example.org", from: "flare@example.org" } }],
    [
      "an institution's address",
      { oidcProviders: [{ id: "uni", title: "University", issuer: "http://uni.example.org", clientId: "flare" }] },
    ],
  ])("is let go of when %s is wrong: nothing was begun that would go on", async (_what, init) => {
    const federation = new FakeFederation();
    let isStarted = false;
    federation.start = () => {
      isStarted = true;
    };
    await expect(openDashboard({ dataFolder, ...init }, { federation })).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
    expect(isStarted).toBe(false);
  });
});
