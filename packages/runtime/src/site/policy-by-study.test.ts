import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuthorizationPolicy } from "@flare-ts/contracts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { adminName, createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { HostileServer } from "./hostile-server.test-support.js";
import { type RunningSite, startSite } from "./start-site.js";

let federation: SmallFederation;
let server: HostileServer;
let site: RunningSite;

beforeAll(async () => {
  federation = await createSmallFederation();
  const policy: AuthorizationPolicy = { format_version: "1.0", permissions: { project_admin: { submit_job: "study:lungs", byoc: "any" } } };
  await writeFile(join(federation.kitDir("site-1"), "local", "authorization.json"), JSON.stringify(policy));
  server = await HostileServer.start(federation);
  site = await startSite({ kitDir: federation.kitDir("site-1") });
  await vi.waitFor(() => {
    if (server.attached === 0) throw new Error("the site is not attached");
  }, 20_000);
});
afterAll(async () => {
  await site.stop();
  await server.stop();
  await federation.dispose();
});

describe("a site whose policy goes by the study", () => {
  it.each(["hearts", "default"])("refuses a job that was signed for another, whatever the server says: %s", async (study) => {
    await server.deploy({ study });
    expect(await server.leaving()).toMatchObject({ code: "auth/not-authorized", facts: { study, right: "submit_job" } });
  });

  it("runs one that was signed for it, and writes down which study it is", async () => {
    const jobId = await server.deploy({ study: "lungs" });
    const line = { who: adminName, action: "run_job", outcome: "allowed", study: "lungs", facts: { job: jobId } };
    const audited = async (): Promise<unknown[]> => {
      const text = await readFile(join(federation.kitDir("site-1"), "audit.log"), "utf8");
      return text
        .trim()
        .split("\n")
        .map((each) => JSON.parse(each) as unknown);
    };
    await expect.poll(audited).toContainEqual(expect.objectContaining(line));
    await server.tell({ case: "endJob", value: { jobId, status: "FINISHED:ABORTED", reason: "", $typeName: "flare.v1.EndJob" } });
  });
});
