import { expect, it } from "vitest";
import { getMe, updateMe } from "../contract/me.js";
import { listPeople, removePerson, updatePerson } from "../contract/people.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

describeOnEachDatabase("people", (kind) => {
  it("are seen by project admins, and by org admins of their own organisation", async () => {
    const { person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin", organization: "coordination" });
    const orgAdmin = await person({ role: "org_admin", organization: "hospital_a" });
    await person({ organization: "hospital_a" });
    await person({ organization: "hospital_b" });
    expect((await admin.call(listPeople)).people).toHaveLength(4);
    const seen = (await orgAdmin.call(listPeople)).people;
    expect(seen.map(({ organization }) => organization)).toEqual(["hospital_a", "hospital_a"]);
  });

  it("have names in any script, but none that shows as another", async () => {
    const { person } = await startTestDashboard(kind);
    const me = await person({});
    for (const name of ["\u202elive", "a\u2067b", "a\nb", "\u0007"]) {
      await expect(me.call(updateMe, { body: { name } })).rejects.toMatchObject({ code: "dashboard/invalid-request" });
    }
    expect(await me.call(updateMe, { body: { name: "ליאת בן־דוד" } })).toMatchObject({ name: "ליאת בן־דוד" });
  });

  it("go from state to state as decided, and no other way", async () => {
    const { person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const somebody = await person({ state: "pending" });
    const decide = (decision: "approve" | "reject" | "disable" | "enable"): Promise<{ state: string }> =>
      admin.call(updatePerson, { params: { id: somebody.id }, body: { decision } });
    await expect(decide("disable")).rejects.toMatchObject({ code: "dashboard/conflict", status: 409 });
    expect(await decide("reject")).toMatchObject({ state: "rejected" });
    expect(await decide("approve")).toMatchObject({ state: "approved" });
    expect(await decide("disable")).toMatchObject({ state: "disabled" });
    await expect(decide("approve")).rejects.toMatchObject({ code: "dashboard/conflict" });
    expect(await decide("enable")).toMatchObject({ state: "approved" });
  });

  it("lose what they may at once: sessions end when somebody is disabled, a new role counts for the next request", async () => {
    const { person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const orgAdmin = await person({ role: "org_admin" });
    await orgAdmin.call(listPeople);
    await admin.call(updatePerson, { params: { id: orgAdmin.id }, body: { role: "member", organization: "hospital_b", name: "New Name" } });
    await expect(orgAdmin.call(listPeople)).rejects.toMatchObject({ code: "dashboard/not-allowed" });
    expect(await orgAdmin.call(getMe)).toMatchObject({ role: "member", organization: "hospital_b", name: "New Name" });
    await admin.call(updatePerson, { params: { id: orgAdmin.id }, body: { decision: "disable" } });
    await expect(orgAdmin.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
  });

  it("never leave the project without an admin, not even when two admins remove each other at the same moment", async () => {
    const { person } = await startTestDashboard(kind);
    const [a, b] = [await person({ role: "project_admin" }), await person({ role: "project_admin" })];
    const outcomes = await Promise.allSettled([
      a.call(updatePerson, { params: { id: b.id }, body: { role: "member" } }),
      b.call(removePerson, { params: { id: a.id } }),
    ]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const { dashboard, person: other } = await startTestDashboard(kind);
    const alone = await other({ role: "project_admin" });
    await expect(alone.call(removePerson, { params: { id: alone.id } })).rejects.toMatchObject({ code: "dashboard/last-admin" });
    await expect(alone.call(updatePerson, { params: { id: alone.id }, body: { decision: "disable" } })).rejects.toMatchObject({
      code: "dashboard/last-admin",
    });
    expect(await dashboard.parts.db.selectFrom("audit").selectAll().execute()).toEqual([]);
  });

  it("change their own name, not their role", async () => {
    const { person } = await startTestDashboard(kind);
    const somebody = await person();
    expect(await somebody.call(updateMe, { body: { name: "  Zoë  " } })).toMatchObject({ name: "Zoë" });
    const body = { name: "Zoë", rol: "project_admin" };
    await expect(somebody.call(updateMe, { body })).rejects.toMatchObject({
      code: "dashboard/invalid-request",
      problems: [{ path: "body.rol" }],
    });
  });

  it("are told the nearest known word for one that is unknown", async () => {
    const { person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const body = { desision: "approve" } as object;
    await expect(admin.call(updatePerson, { params: { id: admin.id }, body })).rejects.toMatchObject({
      problems: [{ message: "unknown key 'desision'; did you mean 'decision'?" }],
    });
  });
});
