import { expect, it } from "vitest";
import { revokeKit } from "../contract/kits.js";
import { rotateProject } from "../contract/project.js";
import { decideSite, getSite, issueSiteKit, removeSite, revokeSite } from "../contract/sites.js";
import { describeOnAnyDatabase, describeOnEachDatabase } from "../test-dashboard.test-support.js";
import { addSite, caPassphrase, startFrozenDashboard } from "./frozen-dashboard.test-support.js";

const dayMs = 24 * 60 * 60_000;

describeOnEachDatabase("a site that is to take part no more", (kind) => {
  it("has no good kit when it was rejected while one was issued", async () => {
    const { admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    // Whichever comes first.
    const issued = orgAdmin.call(issueSiteKit, { params: { id } }).catch(() => undefined);
    const rejected = await admin.call(decideSite, { params: { id }, body: { decision: "reject" } });
    await issued;
    expect(rejected.state).toBe("rejected");
    const { kit } = await admin.call(getSite, { params: { id } });
    expect(kit?.condition ?? "revoked").toBe("revoked");
  });

  it("leaves its name to a site of another organisation, whose kit its former org admin cannot revoke", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind, {}, { renewal: "none" });
    const { id } = await addSite({ admin, orgAdmin });
    const { kit: former } = await orgAdmin.call(issueSiteKit, { params: { id } });
    dashboard.clock.advance(91 * dayMs);
    const later = await dashboard.restart({ caPassphrase });
    const [boss, before, after] = await Promise.all([
      later.person({ role: "project_admin" }),
      later.person({ role: "org_admin", organization: "hospital_a" }),
      later.person({ role: "org_admin", organization: "hospital_b" }),
    ]);
    await before.call(removeSite, { params: { id } });
    // Certificates of a root that is being replaced are not revoked when a new one is issued.
    await boss.call(rotateProject, { body: { step: "start" } });
    const site = await addSite({ admin: boss, orgAdmin: after });
    const { kit } = await after.call(issueSiteKit, { params: { id: site.id } });
    await expect(before.call(revokeKit, { params: { id: former.id }, body: { reason: "keyCompromise" } })).rejects.toMatchObject({
      code: "dashboard/conflict",
    });
    expect((await after.call(getSite, { params: { id: site.id } })).kit).toMatchObject({ id: kit.id, condition: "good" });
    await boss.call(revokeKit, { params: { id: former.id }, body: { reason: "keyCompromise" } });
    expect((await after.call(getSite, { params: { id: site.id } })).kit).toMatchObject({ id: kit.id, condition: "revoked" });
  });
});

describeOnAnyDatabase("a site that is to take part no more", (kind) => {
  it("is not removed while the server may have renewed its certificate: it has to be revoked first", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    await orgAdmin.call(issueSiteKit, { params: { id } });
    dashboard.clock.advance(91 * dayMs);
    const later = await dashboard.restart({ caPassphrase });
    const boss = await later.person({ role: "project_admin" });
    expect((await boss.call(getSite, { params: { id } })).kit).toMatchObject({ condition: "ended" });
    await expect(boss.call(removeSite, { params: { id } })).rejects.toMatchObject({ code: "dashboard/conflict" });
    await boss.call(revokeSite, { params: { id }, body: { reason: "cessationOfOperation" } });
    expect(later.dashboard.parts.kits.trustLists.current()?.number).toBe(1);
    await boss.call(removeSite, { params: { id } });
  });
});
