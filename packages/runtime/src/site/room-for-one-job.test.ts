import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { HostileServer } from "./hostile-server.test-support.js";
import { type RunningSite, startSite } from "./start-site.js";

let federation: SmallFederation;
let server: HostileServer;
let site: RunningSite;

beforeAll(async () => {
  federation = await createSmallFederation();
  server = await HostileServer.start(federation);
  site = await startSite({ kitDir: federation.kitDir("site-1"), maxMemoryBytes: 240 * 2 ** 20 });
});

afterAll(async () => {
  await site.stop();
  await server.stop();
  await federation.dispose();
});

it("a job that a site has left, and that goes on elsewhere, does not keep another from the site's memory", async () => {
  await server.deploy({ app: "other" });
  expect(await server.leaving()).toMatchObject({ code: "job/wrong-app" });
  const jobId = await server.deploy({});
  const laidOut = join(federation.kitDir("site-1"), jobId, "app_site-1");
  await expect.poll(() => existsSync(laidOut)).toBe(true);
});
