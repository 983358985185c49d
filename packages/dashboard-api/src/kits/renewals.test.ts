import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startServer, startSite } from "@flare-ts/runtime";
import { afterEach, expect, it } from "vitest";
import { listAudit } from "../contract/audit.js";
import { getFederation } from "../contract/federation.js";
import { issueServerKit } from "../contract/kits.js";
import { getProject, updateProject } from "../contract/project.js";
import { approveRenewal, listRenewals } from "../contract/renewals.js";
import { issueSiteKit } from "../contract/sites.js";
import { startTestDashboard } from "../test-dashboard.test-support.js";
import { addSite, freeze, SiteMachine, startFrozenDashboard, takeKit, testProject } from "./frozen-dashboard.test-support.js";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one.stop();
});

/** Processes take their time on a machine with much to do. */
const patience = { timeout: 60_000 };

it("renewals by the holder of the CA wait at the server, are signed for the key that was compared, and reach the sites", async () => {
  // Certificates of an hour, made 45 minutes ago: time to renew.
  let agoMs = 45 * 60_000;
  const dashboard = await startTestDashboard("SQLite", {}, { now: () => Date.now() - agoMs });
  const admin = await dashboard.person({ role: "project_admin", organization: "consortium" });
  const orgAdmin = await dashboard.person({ role: "org_admin" });
  const server = { ...testProject.server, port: await freePort(), hosts: ["127.0.0.1"] };
  const certificates = { ...testProject.certificates, leafLifetime: "1h", renewal: "ca_holder" } as const;
  await admin.call(updateProject, { body: { ...testProject, certificates, server } });
  await freeze(dashboard, admin);
  const [made, requested] = [await addSite({ admin, orgAdmin }), await addSite({ admin, orgAdmin }, "hospital-r")];
  const machine = new SiteMachine(Date.now() - agoMs);
  await machine.upload(orgAdmin, requested);
  const { authority } = await admin.call(getProject);
  const serverKit = await takeKit(admin, await admin.call(issueServerKit));
  const sites = [
    await takeKit(orgAdmin, await orgAdmin.call(issueSiteKit, { params: { id: made.id } })),
    await machine.makeKit(orgAdmin, requested.id, authority?.rootFingerprint ?? ""),
  ];
  await expect(admin.call(listRenewals)).rejects.toMatchObject({ code: "dashboard/federation-unreachable" });
  agoMs = 0;
  await dashboard.dashboard.parts.kits.catchUp();
  // The sessions from before have ended by now.
  const holder = await dashboard.person({ role: "project_admin", organization: "consortium" });
  running.push(await startServer({ kitDir: serverKit.dir, host: "127.0.0.1" }));
  for (const { dir } of sites) running.push(await startSite({ kitDir: dir }));
  await expect.poll(async () => (await holder.call(getFederation)).link.isConnected, patience).toBe(true);

  const waiting = async (): Promise<string[]> =>
    (await holder.call(listRenewals)).renewals.map(({ participant }) => participant).toSorted();
  await expect.poll(waiting, patience).toEqual(["hospital-a", "hospital-r", "localhost"]);
  const { renewals } = await holder.call(listRenewals);
  expect(renewals.find(({ participant }) => participant === "hospital-r")).toMatchObject({
    kind: "participant",
    organization: "hospital_a",
    role: "client",
  });
  const [first] = renewals;
  const wrong = { params: { id: first?.id ?? "" }, body: { publicKeySha256: "0".repeat(64) } };
  await expect(holder.call(approveRenewal, wrong)).rejects.toMatchObject({ code: "dashboard/conflict" });
  await expect(holder.call(approveRenewal, { ...wrong, params: { id: "unknown" } })).rejects.toMatchObject({ code: "dashboard/not-found" });
  for (const { id, publicKeySha256 } of renewals) await holder.call(approveRenewal, { params: { id }, body: { publicKeySha256 } });
  expect(await waiting()).toEqual([]);
  for (const { dir } of [serverKit, ...sites]) {
    await expect
      .poll(
        async () =>
          readFile(join(dir, "identity", "current"), "utf8").then(
            () => true,
            () => false,
          ),
        patience,
      )
      .toBe(true);
  }
  const { entries } = await holder.call(listAudit, { query: { action: "renewals.approve" } });
  expect(entries.map(({ subject }) => subject).toSorted()).toEqual(["hospital-a", "hospital-r", "localhost"]);
  expect(entries.every(({ actor }) => actor === holder.email)).toBe(true);
});

it("renewals need the CA here", async () => {
  const { dashboard } = await startFrozenDashboard("SQLite");
  const elsewhere = await dashboard.restart({ adminKit: "/nowhere" });
  const boss = await elsewhere.person({ role: "project_admin" });
  await expect(boss.call(listRenewals)).rejects.toMatchObject({ code: "dashboard/project-elsewhere" });
});
