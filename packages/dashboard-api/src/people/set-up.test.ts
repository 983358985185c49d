import { expect, it } from "vitest";
import { getSession, setUp } from "../contract/session.js";
import { tokenIn } from "../smtp-receiver.test-support.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

const admin = { name: "Ada", email: "ada@example.org", organization: "coordination", password: "a long enough phrase" };

describeOnEachDatabase("the set-up link", (kind) => {
  it("makes whoever opens it first the project admin, once", async () => {
    const { setUpLink, dashboard, stranger, url } = await startTestDashboard(kind);
    expect(setUpLink).toMatch(new RegExp(`^${url}/set-up#`));
    expect(await stranger().call(getSession)).toMatchObject({ needsSetUp: true });
    const token = tokenIn(setUpLink ?? "");
    const first = stranger();
    expect(await first.call(setUp, { body: { ...admin, token } })).toMatchObject({
      state: "signed-in",
      needsSetUp: false,
      person: { role: "project_admin", state: "approved", email: "ada@example.org" },
    });
    expect(await first.call(getSession)).toMatchObject({ state: "signed-in" });
    await expect(stranger().call(setUp, { body: { ...admin, email: "eve@example.org", token } })).rejects.toMatchObject({
      code: "dashboard/link-unusable",
      status: 410,
    });
    expect(await dashboard.setUpLink()).toBeUndefined();
  });

  it("lets one of two win who open it at the same moment", async () => {
    const { setUpLink, stranger } = await startTestDashboard(kind);
    const token = tokenIn(setUpLink ?? "");
    const tries = ["a@example.org", "b@example.org", "c@example.org"].map((email) =>
      stranger().call(setUp, { body: { ...admin, email, token } }),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("stops working after a week, and when a new one is made", async () => {
    const { setUpLink, stranger, dashboard, clock } = await startTestDashboard(kind);
    const newer = (await dashboard.setUpLink()) ?? "";
    const tryIt = (link: string): Promise<unknown> => stranger().call(setUp, { body: { ...admin, token: tokenIn(link) } });
    await expect(tryIt(setUpLink ?? "")).rejects.toMatchObject({ code: "dashboard/link-unusable" });
    clock.advance(8 * 24 * 3_600_000);
    await expect(tryIt(newer)).rejects.toMatchObject({ code: "dashboard/link-unusable" });
  });

  it("refuses a weak password and leaves the link usable", async () => {
    const { setUpLink, stranger } = await startTestDashboard(kind);
    const token = tokenIn(setUpLink ?? "");
    await expect(stranger().call(setUp, { body: { ...admin, password: "password1234", token } })).rejects.toMatchObject({
      code: "dashboard/weak-password",
    });
    expect(await stranger().call(setUp, { body: { ...admin, token } })).toMatchObject({ state: "signed-in" });
  });
});
