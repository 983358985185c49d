import { expect, it } from "vitest";
import { getMe } from "../contract/me.js";
import { invite } from "../contract/people.js";
import { getSession, signIn } from "../contract/session.js";
import { tokenIn } from "../smtp-receiver.test-support.js";
import {
  cookieFetch,
  type DatabaseKind,
  describeOnEachDatabase,
  startTestDashboard,
  type TestDashboard,
  type TestStranger,
} from "../test-dashboard.test-support.js";
import { type Institution, institutionClient, signInThere, startInstitution } from "./oidc-institution.test-support.js";

interface Scene {
  readonly institution: Institution;
  readonly dashboard: TestDashboard;
}

async function startScene(kind: DatabaseKind, settings: object = {}): Promise<Scene> {
  const institution = await startInstitution();
  const provider = { id: "uni", title: "University", issuer: institution.issuer, ...institutionClient, ...settings };
  const dashboard = await startTestDashboard(kind, { oidcProviders: [provider] });
  institution.register(`${dashboard.url}/api/v1/oidc/callback`);
  return { institution, dashboard };
}

/** Goes all the way; gives the address that the dashboard's last page leads to. */
async function signInAs(scene: Scene, browser: TestStranger, login: string, invitation?: string): Promise<string> {
  const back = await beginAs(scene, browser, login, invitation);
  const page = await (await browser.fetch(back.href, { redirect: "manual" })).text();
  return /url=([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? page;
}

async function beginAs({ dashboard }: Scene, browser: TestStranger, login: string, invitation?: string): Promise<URL> {
  const query = new URLSearchParams({ provider: "uni", ...(invitation === undefined ? {} : { invitation }) });
  const start = await browser.fetch(`${dashboard.url}/api/v1/oidc/start?${query}`, { redirect: "manual" });
  expect(start.status).toBe(303);
  return signInThere(new URL(start.headers.get("location") ?? ""), login, cookieFetch());
}

const refused = /sign-in\?problem=dashboard%2Fsign-in-elsewhere$/;

describeOnEachDatabase("sign-in at an institution", (kind) => {
  it("leads to the account of its verified address, and to the same account when the address has changed there", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    expect(await dashboard.stranger().call(getSession)).toMatchObject({ providers: [{ id: "uni", title: "University" }] });
    await dashboard.person({ email: "a@example.org" });
    institution.accounts.set("alice", { email: "A@example.org", email_verified: true, name: "Alice" });
    const browser = dashboard.stranger();
    expect(await signInAs(scene, browser, "alice")).toBe(`${dashboard.url}/`);
    expect(await browser.call(getMe)).toMatchObject({ email: "a@example.org", providers: ["uni"] });
    institution.accounts.set("alice", { email: "new@example.org", email_verified: true });
    const later = dashboard.stranger();
    await signInAs(scene, later, "alice");
    expect(await later.call(getMe)).toMatchObject({ email: "a@example.org" });
  });

  it("makes an account by an invitation", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    const admin = await dashboard.person({ role: "project_admin" });
    const { link } = await admin.call(invite, { body: { email: "b@example.org", role: "lead", organization: "hospital_b" } });
    institution.accounts.set("bob", { email: "b@example.org", email_verified: true, name: "Bob B." });
    institution.accounts.set("eve", { email: "e@example.org", email_verified: true });
    expect(await signInAs(scene, dashboard.stranger(), "eve", tokenIn(link ?? ""))).toMatch(refused);
    const browser = dashboard.stranger();
    await signInAs(scene, browser, "bob", tokenIn(link ?? ""));
    expect(await browser.call(getMe)).toMatchObject({ name: "Bob B.", state: "pending", role: "lead", hasPassword: false });
    await expect(dashboard.stranger().call(signIn, { body: { email: "b@example.org", password: "" } })).rejects.toMatchObject({
      code: "dashboard/invalid-request",
    });
  });

  it("lets nobody in by an address that is not verified, of another domain, or of somebody disabled", async () => {
    const scene = await startScene(kind, { domains: ["example.org"] });
    const { institution, dashboard } = scene;
    await dashboard.person({ email: "a@example.org" });
    await dashboard.person({ email: "x@other.org" });
    await dashboard.person({ email: "d@example.org", state: "disabled" });
    institution.accounts.set("unverified", { email: "a@example.org", email_verified: false });
    institution.accounts.set("silent", { email: "a@example.org" });
    institution.accounts.set("foreign", { email: "x@other.org", email_verified: true });
    institution.accounts.set("disabled", { email: "d@example.org", email_verified: true });
    institution.accounts.set("unknown", { email: "nobody@example.org", email_verified: true });
    institution.accounts.set("nameless", {});
    for (const login of institution.accounts.keys()) {
      const browser = dashboard.stranger();
      expect(await signInAs(scene, browser, login)).toMatch(refused);
      expect(await browser.call(getSession)).toMatchObject({ state: "signed-out" });
    }
  });

  it("still asks for the second factor of this dashboard", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    const { id } = await dashboard.person({ email: "a@example.org" });
    await dashboard.dashboard.parts.db.updateTable("people").set({ totp_is_on: 1 }).where("id", "=", id).execute();
    institution.accounts.set("alice", { email: "a@example.org", email_verified: true });
    const browser = dashboard.stranger();
    await signInAs(scene, browser, "alice");
    expect(await browser.call(getSession)).toMatchObject({ state: "second-factor", person: null });
  });

  it("counts only in the browser that began it, once, with its own state, within ten minutes", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    await dashboard.person({ email: "a@example.org" });
    institution.accounts.set("alice", { email: "a@example.org", email_verified: true });
    const browser = dashboard.stranger();
    const open = async (who: TestStranger, url: URL): Promise<string> => (await who.fetch(url.href, { redirect: "manual" })).text();
    const back = await beginAs(scene, browser, "alice");
    expect(await open(dashboard.stranger(), back)).toContain("problem=");
    const forged = new URL(back);
    forged.searchParams.set("state", "forged");
    expect(await open(browser, forged)).toContain("problem=");
    // The flow was taken by the forged attempt: the right answer comes too late.
    expect(await open(browser, back)).toContain("problem=");
    const slow = await beginAs(scene, browser, "alice");
    dashboard.clock.advance(10 * 60_000 + 1);
    expect(await open(browser, slow)).toContain("problem=");
    expect(await browser.call(getSession)).toMatchObject({ state: "signed-out" });
  });

  it("that cannot be reached, or does not exist, is said on the page and not a failure of the dashboard", async () => {
    const provider = { id: "uni", title: "University", issuer: "http://127.0.0.1:9", clientId: "x" };
    const dashboard = await startTestDashboard(kind, { oidcProviders: [provider] });
    const start = await dashboard.stranger().fetch(`${dashboard.url}/api/v1/oidc/start?provider=uni`, { redirect: "manual" });
    expect(start.status).toBe(200);
    expect(await start.text()).toContain("problem=dashboard%2Fsign-in-elsewhere");
    const unknown = await dashboard.stranger().fetch(`${dashboard.url}/api/v1/oidc/start?provider=x`, { redirect: "manual" });
    expect(await unknown.text()).toContain("problem=dashboard%2Fnot-found");
  });
});
