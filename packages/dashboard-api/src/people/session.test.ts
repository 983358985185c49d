import { expect, it } from "vitest";
import { getSession, signIn, signOut } from "../contract/session.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

describeOnEachDatabase("signing in and out", (kind) => {
  it("leads from the password to a session that ends when it is ended", async () => {
    const dashboard = await startTestDashboard(kind);
    await dashboard.person({ email: "a@example.org", password: "correct horse battery" });
    const stranger = dashboard.stranger();
    expect(await stranger.call(getSession)).toMatchObject({ state: "signed-out", person: null });
    await expect(stranger.call(signIn, { body: { email: "a@example.org", password: "wrong" } })).rejects.toMatchObject({
      code: "dashboard/wrong-credentials",
    });
    expect(await stranger.call(signIn, { body: { email: "A@example.org ", password: "correct horse battery" } })).toMatchObject({
      state: "signed-in",
    });
    expect(await stranger.call(getSession)).toMatchObject({ state: "signed-in", person: { email: "a@example.org" } });
    await stranger.call(signOut);
    expect(await stranger.call(getSession)).toMatchObject({ state: "signed-out" });
  });
});
