import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { listAudit } from "../contract/audit.js";
import { completePasswordReset, signIn } from "../contract/session.js";
import { tokenIn } from "../smtp-receiver.test-support.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";
import { resetPasswordLocally } from "./reset-password-locally.js";

describeOnEachDatabase("a password that is reset at the dashboard's machine", (kind) => {
  const email = "ann@example.org";

  it("can be set anew by the link, once the dashboard runs again, and both stand in the audit trail", async () => {
    const dashboard = await startTestDashboard(kind);
    const { dataFolder } = dashboard.dashboard.parts;
    const { databaseUrl } = dashboard;
    await dashboard.person({ role: "project_admin", email, password: "a phrase that is lost" });
    await dashboard.dashboard.parts.db.updateTable("people").set({ totp_is_on: 1, totp_secret: "lost with the phone" }).execute();
    const init = { dataFolder, databaseUrl, email: "Ann@Example.org", by: "root", publicUrl: "https://flare.example.org/" };
    const components = { now: dashboard.clock.now };
    await expect(resetPasswordLocally(init, components)).rejects.toMatchObject({ code: "dashboard/already-running" });
    await dashboard.stop();
    await expect(resetPasswordLocally({ ...init, email: "nobody@example.org" }, components)).rejects.toMatchObject({
      code: "dashboard/not-found",
    });
    await expect(resetPasswordLocally({ ...init, email: "nobody" }, components)).rejects.toMatchObject({ code: "cli/invalid-arguments" });
    const { link } = await resetPasswordLocally({ ...init, removesSecondFactor: true }, components);
    expect(link).toMatch(/^https:\/\/flare\.example\.org\/reset-password#/);
    const again = await dashboard.restart();
    const admin = again.stranger();
    const password = "a phrase that is found";
    await admin.call(completePasswordReset, { body: { token: tokenIn(link), password } });
    await expect(admin.call(completePasswordReset, { body: { token: tokenIn(link), password } })).rejects.toMatchObject({
      code: "dashboard/link-unusable",
    });
    await admin.call(signIn, { body: { email, password } });
    const { entries } = await admin.call(listAudit, { query: {} });
    for (const action of ["people.resetPassword", "people.removeSecondFactor"]) {
      const entry = { actor: "operator", subject: email, facts: { by: "root" } };
      expect(entries.find((one) => one.action === action)).toMatchObject(entry);
    }
  });

  it("is not reset for whoever may not sign in", async () => {
    const dashboard = await startTestDashboard(kind);
    const { dataFolder } = dashboard.dashboard.parts;
    await dashboard.person({ email, state: "disabled" });
    await dashboard.stop();
    await expect(resetPasswordLocally({ dataFolder, databaseUrl: dashboard.databaseUrl, email, by: "root" })).rejects.toMatchObject({
      code: "dashboard/conflict",
    });
  });
});

it("a folder in which there is no dashboard stays as it is", async () => {
  const dashboard = await startTestDashboard("SQLite");
  const dataFolder = join(dashboard.dashboard.parts.dataFolder, "nothing");
  await expect(resetPasswordLocally({ dataFolder, email: "a@example.org", by: "root" })).rejects.toMatchObject({ code: "file/not-found" });
  expect(existsSync(dataFolder)).toBe(false);
});
