import { Secret, TOTP } from "otpauth";
import { expect, it } from "vitest";
import { beginTotp, confirmTotp, getMe, removeTotp, renewRecoveryCodes } from "../contract/me.js";
import { removePersonSecondFactor } from "../contract/people.js";
import { getSession, giveSecondFactor, signIn } from "../contract/session.js";
import { describeOnEachDatabase, startTestDashboard, type TestDashboard, type TestPerson } from "../test-dashboard.test-support.js";

const password = "correct horse battery";
const email = "a@example.org";

/** A person with a second factor on, and the code of their app at the dashboard's time. */
async function withSecondFactor(dashboard: TestDashboard): Promise<{ person: TestPerson; code: () => string; recoveryCodes: string[] }> {
  const person = await dashboard.person({ email, password });
  const { secret, uri } = await person.call(beginTotp, { body: { password } });
  expect(uri).toMatch(/^otpauth:\/\/totp\/FLARE:a%40example.org\?/);
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const code = (): string => totp.generate({ timestamp: dashboard.clock.now() });
  const { recoveryCodes } = await person.call(confirmTotp, { body: { code: code() } });
  dashboard.clock.advance(30_000);
  return { person, code, recoveryCodes };
}

describeOnEachDatabase("the second factor", (kind) => {
  it("is asked after the password, and nothing can be done before it was given", async () => {
    const dashboard = await startTestDashboard(kind);
    const { code } = await withSecondFactor(dashboard);
    const browser = dashboard.stranger();
    expect(await browser.call(signIn, { body: { email, password } })).toMatchObject({ state: "second-factor", person: null });
    await expect(browser.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
    await expect(browser.call(giveSecondFactor, { body: { code: "000000" } })).rejects.toMatchObject({ code: "dashboard/wrong-code" });
    expect(await browser.call(giveSecondFactor, { body: { code: code() } })).toMatchObject({
      state: "signed-in",
      person: { hasSecondFactor: true },
    });
    expect(await browser.call(getMe)).toMatchObject({ email });
  });

  it("takes no code twice, not even in two places at the same moment", async () => {
    const dashboard = await startTestDashboard(kind);
    const { code } = await withSecondFactor(dashboard);
    const browsers = [dashboard.stranger(), dashboard.stranger(), dashboard.stranger()];
    for (const browser of browsers) await browser.call(signIn, { body: { email, password } });
    const outcomes = await Promise.allSettled(browsers.map((browser) => browser.call(giveSecondFactor, { body: { code: code() } })));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("takes each recovery code once", async () => {
    const dashboard = await startTestDashboard(kind);
    const { person, recoveryCodes } = await withSecondFactor(dashboard);
    expect(new Set(recoveryCodes).size).toBe(10);
    const [code = ""] = recoveryCodes;
    const browser = dashboard.stranger();
    await browser.call(signIn, { body: { email, password } });
    expect(await browser.call(giveSecondFactor, { body: { code: code.toUpperCase().replace("-", " ") } })).toMatchObject({
      state: "signed-in",
    });
    expect(await person.call(getMe)).toMatchObject({ recoveryCodesLeft: 9 });
    const again = dashboard.stranger();
    await again.call(signIn, { body: { email, password } });
    await expect(again.call(giveSecondFactor, { body: { code } })).rejects.toMatchObject({ code: "dashboard/wrong-code" });
    const rows = await dashboard.dashboard.parts.db.selectFrom("recovery_codes").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(recoveryCodes[1]);
  });

  it("makes guessing wait", async () => {
    const dashboard = await startTestDashboard(kind);
    await withSecondFactor(dashboard);
    const browser = dashboard.stranger();
    await browser.call(signIn, { body: { email, password } });
    const codes: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      codes.push(await browser.call(giveSecondFactor, { body: { code: `00000${i}` } }).catch((reason: { code: string }) => reason.code));
    }
    expect(codes.at(-1)).toBe("dashboard/too-many-attempts");
  });

  it("gives the code five minutes after the password", async () => {
    const dashboard = await startTestDashboard(kind);
    const { code } = await withSecondFactor(dashboard);
    const browser = dashboard.stranger();
    await browser.call(signIn, { body: { email, password } });
    dashboard.clock.advance(5 * 60_000);
    await expect(browser.call(giveSecondFactor, { body: { code: code() } })).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
    expect(await browser.call(getSession)).toMatchObject({ state: "signed-out" });
  });

  it("is turned on and off with proof only, and keeps its secret sealed", async () => {
    const dashboard = await startTestDashboard(kind);
    const other = await dashboard.person({ password });
    await expect(other.call(beginTotp, { body: { password: "wrong" } })).rejects.toMatchObject({ code: "dashboard/wrong-password" });
    await expect(other.call(beginTotp, { body: {} })).rejects.toMatchObject({ code: "dashboard/wrong-password" });
    const { secret } = await other.call(beginTotp, { body: { password } });
    const rows = JSON.stringify(await dashboard.dashboard.parts.db.selectFrom("people").selectAll().execute());
    expect(rows).not.toContain(secret);
    const { person, code, recoveryCodes } = await withSecondFactor(dashboard);
    await expect(person.call(removeTotp, { body: { code: "123456" } })).rejects.toMatchObject({ code: "dashboard/wrong-code" });
    const renewed = await person.call(renewRecoveryCodes, { body: { code: code() } });
    expect(renewed.recoveryCodes.filter((one) => recoveryCodes.includes(one))).toEqual([]);
    await person.call(removeTotp, { body: { code: renewed.recoveryCodes[0] ?? "" } });
    expect(await person.call(getMe)).toMatchObject({ hasSecondFactor: false, recoveryCodesLeft: 0 });
  });

  it("is turned off by a project admin for somebody who lost everything", async () => {
    const dashboard = await startTestDashboard(kind);
    const { person } = await withSecondFactor(dashboard);
    const admin = await dashboard.person({ role: "project_admin" });
    await admin.call(removePersonSecondFactor, { params: { id: person.id } });
    await expect(person.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
    expect(await dashboard.stranger().call(signIn, { body: { email, password } })).toMatchObject({ state: "signed-in" });
  });
});
