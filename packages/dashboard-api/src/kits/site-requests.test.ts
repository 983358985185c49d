import { verifyKit } from "@flare-ts/provision/kit";
import { expect, it } from "vitest";
import { listKits } from "../contract/kits.js";
import { getProject, unlockProject, updateProject } from "../contract/project.js";
import { createSite, decideSite, getSite, listSites, revokeSite, uploadSiteRequest, withdrawSiteRequest } from "../contract/sites.js";
import { describeOnAnyDatabase, describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";
import { addSite, caPassphrase, freeze, SiteMachine, startFrozenDashboard, testProject } from "./frozen-dashboard.test-support.js";

describeOnEachDatabase("a certificate request", (kind) => {
  it("waits until site and project are ready and the CA is unlocked, and is answered by itself then", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    const orgAdmin = await dashboard.person({ role: "org_admin" });
    await admin.call(updateProject, { body: { ...testProject, server: { ...testProject.server, hosts: [] } } });
    const site = await orgAdmin.call(createSite, { body: { name: "hospital-a" } });
    const machine = new SiteMachine(dashboard.clock.now());
    expect((await machine.upload(orgAdmin, site)).request).toMatchObject({ waitsFor: "decision", uploadedBy: "A org_admin" });
    const params = { id: site.id };
    expect((await admin.call(decideSite, { params, body: { decision: "approve" } })).request).toMatchObject({ waitsFor: "freeze" });
    await freeze(dashboard, admin);
    expect(await orgAdmin.call(getSite, { params })).toMatchObject({ request: null, kit: { condition: "good" } });

    const again = await dashboard.restart();
    const [boss, other] = [await again.person({ role: "project_admin" }), await again.person({ role: "org_admin" })];
    expect((await new SiteMachine(again.clock.now()).upload(other, site)).request).toMatchObject({ waitsFor: "unlock" });
    expect((await boss.call(getProject)).authority?.waiting).toEqual({ requests: 1, revocations: 0 });
    again.clock.advance(5000);
    await boss.call(unlockProject, { body: { passphrase: caPassphrase } });
    expect(await other.call(getSite, { params })).toMatchObject({ request: null, kit: { condition: "good" } });
    const { kits } = await other.call(listKits);
    expect(kits.map(({ condition }) => condition)).toEqual(["good", "revoked"]);
  });

  it("with another key replaces and revokes the earlier one; with the same key it does not", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const site = await addSite({ admin, orgAdmin });
    const machine = new SiteMachine(dashboard.clock.now());
    const body = await machine.request(orgAdmin, site);
    const params = { id: site.id };
    const serials: (string | undefined)[] = [];
    for (let time = 0; time < 2; time++) {
      dashboard.clock.advance(5000);
      serials.push((await orgAdmin.call(uploadSiteRequest, { params, body })).kit?.serial);
    }
    expect(new Set(serials).size).toBe(2);
    expect((await orgAdmin.call(listKits)).kits.map(({ condition }) => condition)).toEqual(["good", "replaced"]);
    dashboard.clock.advance(5000);
    await new SiteMachine(dashboard.clock.now()).upload(orgAdmin, site);
    const { kits } = await orgAdmin.call(listKits);
    expect(kits.map(({ condition }) => condition)).toEqual(["good", "revoked", "revoked"]);
    expect((await admin.call(getProject)).authority).toMatchObject({ trustListNumber: 1 });
    // A key that was revoked gets nothing.
    await expect(orgAdmin.call(uploadSiteRequest, { params, body })).rejects.toMatchObject({ code: "request/key-revoked" });
    expect(await orgAdmin.call(getSite, { params })).toMatchObject({ request: null, kit: { condition: "good" } });
  });
});

describeOnAnyDatabase("a certificate request", (kind) => {
  it("becomes a kit whose private key never left the site", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const site = await addSite({ admin, orgAdmin });
    const machine = new SiteMachine(dashboard.clock.now());
    const answered = await machine.upload(orgAdmin, site);
    expect(answered).toMatchObject({
      request: null,
      kit: { source: "requested", condition: "good", archive: { isSecret: false, fileName: "hospital-a.signed.zip" } },
    });
    const { authority } = await orgAdmin.call(getProject);
    const kit = await machine.makeKit(orgAdmin, site.id, authority?.rootFingerprint ?? "");
    await verifyKit(kit, { now: new Date(dashboard.clock.now()) });
    expect({ name: kit.name, org: kit.org, project: kit.project, renewal: kit.certificates?.renewal }).toEqual({
      name: "hospital-a",
      org: "hospital_a",
      project: "cancer",
      renewal: "server",
    });
    expect(answered.kit?.serial).toBe((await orgAdmin.call(listKits)).kits[0]?.serial);
    // No secret is in it: it can be had again.
    await machine.makeKit(orgAdmin, site.id, authority?.rootFingerprint ?? "");
  });

  it("that cannot be answered says why, and can be withdrawn", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    const orgAdmin = await dashboard.person({ role: "org_admin" });
    await admin.call(updateProject, { body: { ...testProject, name: "former", server: { ...testProject.server, hosts: [] } } });
    const site = await addSite({ admin, orgAdmin });
    await new SiteMachine(dashboard.clock.now()).upload(orgAdmin, site);
    await admin.call(updateProject, { body: { name: "cancer" } });
    await freeze(dashboard, admin);
    const { request } = await orgAdmin.call(getSite, { params: { id: site.id } });
    expect(request).toMatchObject({ waitsFor: "nothing", problem: expect.stringContaining("former") });
    expect((await orgAdmin.call(withdrawSiteRequest, { params: { id: site.id } })).request).toBeNull();
  });

  it("is refused when it is somebody else's, too large, or no request at all", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const site = await addSite({ admin, orgAdmin });
    const machine = new SiteMachine(dashboard.clock.now());
    const refused = async (body: Uint8Array, code: string): Promise<string> => {
      const reason: unknown = await orgAdmin.call(uploadSiteRequest, { params: { id: site.id }, body }).catch((error: unknown) => error);
      expect(reason).toMatchObject({ code });
      return String(reason);
    };
    for (const [from, to] of [
      ["hospital-a", "hospital-b"],
      ["hospital_a", "hospital_b"],
      ["cancer", "other"],
    ] as const) {
      const body = await machine.request(orgAdmin, site, (file) => file.replace(from, to));
      expect(await refused(body, "request/mismatch")).toContain(to);
    }
    const said = await refused(new Uint8Array(1000), "archive/unreadable");
    expect(said).not.toContain(dashboard.dashboard.parts.dataFolder);
    await refused(new Uint8Array(), "dashboard/invalid-request");
    await refused(new Uint8Array(300 * 1024), "dashboard/too-large");
    expect((await orgAdmin.call(getSite, { params: { id: site.id } })).request).toBeNull();
    const other = await dashboard.person({ role: "org_admin", organization: "hospital_b" });
    await expect(machine.upload(orgAdmin, site)).resolves.toMatchObject({ kit: {} });
    const good = await machine.request(orgAdmin, site);
    for (const call of [
      () => other.call(uploadSiteRequest, { params: { id: site.id }, body: good }),
      () => other.call(getSite, { params: { id: site.id } }),
      () => other.call(revokeSite, { params: { id: site.id }, body: { reason: "unspecified" } }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "dashboard/not-found" });
    }
    expect((await other.call(listSites)).sites).toEqual([]);
    expect((await other.call(listKits)).kits).toEqual([]);
  });
});
