import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { signRenewal } from "@flare-ts/provision";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AdminSession } from "../admin/admin-session.js";
import { connectAdmin } from "../admin/connect-admin.js";
import type { WaitingRenewal } from "../admin/waiting-renewal.js";
import { adminName, createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { type RunningSite, startSite } from "../site/start-site.js";
import { type RunningServer, startServer } from "./start-server.js";

const waiting = { timeout: 20_000 };

let federation: SmallFederation;
let server: RunningServer;
let admin: AdminSession;
let site: RunningSite | undefined;

beforeEach(async () => {
  // Certificates of 5 minutes, of which 4 are over: time to renew.
  const madeAt = new Date(Date.now() - 240_000);
  federation = await createSmallFederation({ keyType: "rsa-2048", certificates: { leaf_lifetime: "5m", renewal: "ca_holder" }, madeAt });
  server = await startServer({ kitDir: federation.kitDir("localhost") });
  admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
});

afterEach(async () => {
  admin.close();
  await site?.stop();
  await server.stop();
  await federation.dispose();
});

const isRenewed = async (name: string): Promise<boolean> =>
  readFile(join(federation.kitDir(name), "identity", "current"), "utf8").then(
    () => true,
    () => false,
  );

describe("a project whose renewals are signed by hand", () => {
  it("keeps every request until it is signed, and tells server and site at once", async () => {
    site = await startSite({ kitDir: federation.kitDir("site-1") });
    const names = async (): Promise<string[]> => (await admin.listRenewals()).map(({ name }) => name).sort();
    await expect.poll(names).toEqual([adminName, "localhost", "site-1"]);
    await expect(admin.completeRenewal("unknown", "no certificate")).rejects.toMatchObject({ code: "auth/renewal-refused" });
    for (const renewal of await admin.listRenewals()) {
      const certificate = await signRenewal({ workspace: join(federation.folder, "workspace"), caKey: "clear", renewal });
      expect(await admin.completeRenewal(renewal.id, certificate)).toEqual({ name: renewal.name });
    }
    expect(await admin.listRenewals()).toEqual([]);
    // Far sooner than they would ask by themselves again.
    for (const name of ["localhost", "site-1"]) await expect.poll(() => isRenewed(name)).toBe(true);
    expect((await admin.status()).sites).toMatchObject([{ name: "site-1", state: "connected" }]);
  });

  it("declines a request, whose participant makes another for another key; that one can be signed", async () => {
    site = await startSite({ kitDir: federation.kitDir("site-1") });
    const requestOf = async (name: string): Promise<WaitingRenewal | undefined> =>
      (await admin.listRenewals()).find((renewal) => renewal.name === name);
    const first = await vi.waitFor(async () => (await requestOf("site-1")) ?? Promise.reject(new Error("no request yet")), waiting);
    await expect(admin.declineRenewal("unknown")).rejects.toMatchObject({ code: "auth/renewal-refused" });
    expect(await admin.declineRenewal(first.id)).toEqual({ name: "site-1" });
    await expect(admin.declineRenewal(first.id)).rejects.toMatchObject({ code: "auth/renewal-refused" });
    const sign = async (renewal: WaitingRenewal): Promise<string> =>
      await signRenewal({ workspace: join(federation.folder, "workspace"), caKey: "clear", renewal });
    await expect(admin.completeRenewal(first.id, await sign(first))).rejects.toMatchObject({ code: "auth/renewal-refused" });
    const second = await vi.waitFor(async () => (await requestOf("site-1")) ?? Promise.reject(new Error("no request yet")), waiting);
    expect(second.csrPem).not.toBe(first.csrPem);
    await admin.completeRenewal(second.id, await sign(second));
    await expect.poll(() => isRenewed("site-1")).toBe(true);
  });
});
