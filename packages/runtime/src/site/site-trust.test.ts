import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Revocation } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminName, createSmallFederation, otherAdminName, type SmallFederation } from "../process/small-federation.test-support.js";
import { HostileServer } from "./hostile-server.test-support.js";
import { type RunningSite, startSite } from "./start-site.js";

let federation: SmallFederation;
let server: HostileServer;
let site: RunningSite;

beforeEach(async () => {
  federation = await createSmallFederation();
  server = await HostileServer.start(federation);
  site = await startSite({ kitDir: federation.kitDir("site-1") });
});

afterEach(async () => {
  await site.stop();
  await server.stop();
  await federation.dispose();
});

describe("a site, whatever its server does,", () => {
  it("stops the job of a submitter who is revoked, and refuses another, after a restart too", async () => {
    const jobId = await server.deploy({ submitter: otherAdminName });
    await expect.poll(async () => await logOf("site-1")).toContain("job admitted");
    await push(await federation.trustList({ number: 1, revoked: [revocation(otherAdminName)] }));
    expect(await server.leaving()).toMatchObject({ code: "job/signer-revoked", facts: { name: otherAdminName } });
    expect(server.heard).toContainEqual(expect.objectContaining({ case: "jobLeft", value: expect.objectContaining({ jobId }) }));
    await server.deploy({ submitter: otherAdminName });
    expect(await server.leaving()).toMatchObject({ code: "job/signer-revoked" });
    await site.stop();
    site = await startSite({ kitDir: federation.kitDir("site-1") });
    expect(server.heard.findLast((message) => message.case === "hello")?.value).toMatchObject({ trustNumber: 1 });
    await server.deploy({ submitter: otherAdminName });
    expect(await server.leaving()).toMatchObject({ code: "job/signer-revoked" });
    await server.deploy({ submitter: adminName });
    await expect.poll(async () => (await logOf("site-1")).split("job admitted").length - 1).toBe(2);
  });

  it("takes no list that is forged, older, another project's or none, and says why", async () => {
    const good = await federation.trustList({ number: 5 });
    await push(good);
    expect(await answer()).toEqual({ number: 5, errorJson: "" });
    const revoked = [revocation(adminName)];
    const forged = JSON.parse(await federation.trustList({ number: 6, revoked })) as object;
    const attempts: readonly [string, string][] = [
      [JSON.stringify({ ...forged, signatures: [] }), "trust/signature-invalid"],
      [await federation.trustList({ number: 4, revoked }), "trust/outdated"],
      [await federation.trustList({ number: 6, project: "other", revoked }), "trust/wrong-project"],
      ["{}", "trust/list-invalid"],
    ];
    for (const [text, code] of attempts) {
      await push(text);
      const { number, errorJson } = await answer();
      expect(number).toBe(5);
      expect(JSON.parse(errorJson)).toMatchObject({ code });
    }
    expect(await readFile(join(federation.kitDir("site-1"), "identity/trust.json"), "utf8")).toBe(good);
  });

  it("hangs up on a server that is revoked, and does not come back to it", async () => {
    await push(await federation.trustList({ number: 1, revoked: [revocation("localhost")] }));
    await expect.poll(async () => await logOf("site-1")).toContain("the server is not trusted any more");
    await site.stop();
    expect(server.attached).toBe(1);
    await expect(startSite({ kitDir: federation.kitDir("site-1") })).rejects.toMatchObject({ code: "auth/server-untrusted" });
  });
});

async function push(text: string): Promise<void> {
  server.heard.length = 0;
  await server.tell({ case: "trustList", value: { text, $typeName: "flare.v1.TrustList" } });
}

async function answer(): Promise<{ readonly number: number; readonly errorJson: string }> {
  const { number, errorJson } = (await server.expectHeard("trustState")) as { readonly number: number; readonly errorJson: string };
  return { number, errorJson };
}

function revocation(name: string): Revocation {
  return { name, serials: [], revoked_at_ms: Date.now(), reason: "keyCompromise" };
}

async function logOf(name: string): Promise<string> {
  return await readFile(join(federation.kitDir(name), "log.json"), "utf8");
}
