import { expect, it } from "vitest";
import { listAudit } from "../contract/audit.js";
import { getProject, updateProject } from "../contract/project.js";
import { createSite, decideSite, getSite, updateSite } from "../contract/sites.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

describeOnEachDatabase("two people at one form", (kind) => {
  it("who saves a site second is told who was first, and overwrites nothing", async () => {
    const dashboard = await startTestDashboard(kind);
    const ada = await dashboard.person({ role: "project_admin" });
    const bo = await dashboard.person({ role: "org_admin", organization: "north" });
    const seen = await bo.call(createSite, { body: { name: "north-1", description: "first" } });
    expect(seen).toMatchObject({ version: 1, changedBy: null });
    const params = { id: seen.id };
    const saved = await ada.call(updateSite, { params, body: { description: "Ada's", version: seen.version } });
    expect(saved).toMatchObject({ version: 2, changedBy: "A project_admin" });
    await expect(bo.call(updateSite, { params, body: { description: "Bo's", version: seen.version } })).rejects.toMatchObject({
      code: "dashboard/changed-meanwhile",
      message: "A project_admin changed 'north-1' in the meantime.",
    });
    expect(await bo.call(getSite, { params })).toMatchObject({ description: "Ada's", version: 2 });
    expect(await bo.call(updateSite, { params, body: { description: "Bo's", version: 2 } })).toMatchObject({ changedBy: "A org_admin" });
    // Programs that name no version go on as before.
    expect(await ada.call(updateSite, { params, body: { description: "the last" } })).toMatchObject({ version: 4 });
  });

  it("nobody approves what was changed since it was looked at", async () => {
    const dashboard = await startTestDashboard(kind);
    const ada = await dashboard.person({ role: "project_admin" });
    const bo = await dashboard.person({ role: "org_admin", organization: "north" });
    const { id, version } = await bo.call(createSite, { body: { name: "north-1" } });
    const params = { id };
    const approve = () => ada.call(decideSite, { params, body: { decision: "approve", version } });
    await bo.call(updateSite, { params, body: { name: "north-2" } });
    await expect(approve()).rejects.toMatchObject({ code: "dashboard/changed-meanwhile" });
    expect(await ada.call(getSite, { params })).toMatchObject({ name: "north-2", state: "pending" });
    // Whoever says no need not have seen the latest.
    expect(await ada.call(decideSite, { params, body: { decision: "reject" } })).toMatchObject({ state: "rejected" });
  });

  it("whichever of a change and an approval comes first when both are on their way, what is approved was looked at", async () => {
    const dashboard = await startTestDashboard(kind);
    const ada = await dashboard.person({ role: "project_admin" });
    const bo = await dashboard.person({ role: "org_admin", organization: "north" });
    const { id, version } = await bo.call(createSite, { body: { name: "north-1" } });
    const params = { id };
    const [, approved] = await Promise.allSettled([
      bo.call(updateSite, { params, body: { name: "north-2" } }),
      ada.call(decideSite, { params, body: { decision: "approve", version } }),
    ]);
    // The reply shows the site as it is by then: where the approval came first, the new name may be there, and waits to be looked at.
    const shown = [...(approved.status === "fulfilled" ? [approved.value] : []), await ada.call(getSite, { params })];
    for (const { name, state } of shown) expect({ name, state }).not.toEqual({ name: "north-2", state: "approved" });
  });

  it("whoever saves the project second is told who was first", async () => {
    const dashboard = await startTestDashboard(kind);
    const ada = await dashboard.person({ role: "project_admin" });
    const eve = await dashboard.person({ role: "project_admin" });
    const { version } = await ada.call(getProject);
    await ada.call(updateProject, { body: { title: "Ada's", version } });
    await expect(eve.call(updateProject, { body: { title: "Eve's", version } })).rejects.toMatchObject({
      code: "dashboard/changed-meanwhile",
      message: "A project_admin changed the project in the meantime.",
    });
    expect(await eve.call(getProject)).toMatchObject({ title: "Ada's", changedBy: "A project_admin" });
  });

  it("the audit trail names what a change made different, not all that its form sent", async () => {
    const dashboard = await startTestDashboard(kind);
    const ada = await dashboard.person({ role: "project_admin" });
    const { id } = await ada.call(createSite, { body: { name: "north-1" } });
    const body = { description: "new", capacity: { gpus: 0, memPerGpuGiB: 0 }, properties: {} };
    await ada.call(updateSite, { params: { id }, body });
    await ada.call(updateProject, { body: { title: "new", description: "" } });
    const { entries } = await ada.call(listAudit, { query: {} });
    const fieldsOf = (action: string): unknown => entries.find((entry) => entry.action === action)?.facts["fields"];
    expect([fieldsOf("sites.update"), fieldsOf("project.update")]).toEqual(["description", "title"]);
  });
});
