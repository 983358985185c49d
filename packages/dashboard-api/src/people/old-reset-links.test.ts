import { expect, it } from "vitest";
import { changePassword } from "../contract/me.js";
import { resetPersonPassword } from "../contract/people.js";
import { completePasswordReset } from "../contract/session.js";
import { tokenIn } from "../smtp-receiver.test-support.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

describeOnEachDatabase("a link for a new password", (kind) => {
  it("stops working when the person sets another password without it", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    const password = "a long enough phrase";
    const person = await dashboard.person({ password });
    const { link } = await admin.call(resetPersonPassword, { params: { id: person.id } });
    await person.call(changePassword, { body: { currentPassword: password, newPassword: "another phrase of mine" } });
    const body = { token: tokenIn(link ?? ""), password: "a phrase of somebody else" };
    await expect(dashboard.stranger().call(completePasswordReset, { body })).rejects.toMatchObject({ code: "dashboard/link-unusable" });
  });
});
