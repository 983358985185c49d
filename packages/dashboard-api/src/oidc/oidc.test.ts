import { expect, it } from "vitest";
import { getMe, linkInstitution, unlinkInstitution } from "../contract/me.js";
import { invite, signUp } from "../contract/people.js";
import { completePasswordReset, getSession, requestPasswordReset, signIn, startOidc } from "../contract/session.js";
import { startSmtpReceiver, tokenIn } from "../smtp-receiver.test-support.js";
import {
  cookieFetch,
  type DatabaseKind,
  describeOnAnyDatabase,
  describeOnEachDatabase,
  startTestDashboard,
  type TestDashboard,
  type TestPerson,
  type TestStranger,
} from "../test-dashboard.test-support.js";
import { type Institution, institutionClient, signInThere, startInstitution } from "./oidc-institution.test-support.js";

interface Scene {
  readonly institution: Institution;
  readonly dashboard: TestDashboard;
}

async function startScene(kind: DatabaseKind, settings: object = {}, init: object = {}): Promise<Scene> {
  const institution = await startInstitution();
  const provider = { id: "uni", title: "University", issuer: institution.issuer, ...institutionClient, ...settings };
  const dashboard = await startTestDashboard(kind, { oidcProviders: [provider], ...init });
  institution.register(`${dashboard.url}/api/v1/oidc/callback`);
  return { institution, dashboard };
}

/** Goes all the way; gives the address that the dashboard's last page leads to. */
async function signInAs(scene: Scene, browser: TestStranger, login: string, invitation?: string): Promise<string> {
  const back = await beginAs(scene, browser, login, invitation);
  const page = await (await browser.fetch(back.href, { redirect: "manual" })).text();
  return /url=([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? page;
}

async function beginAs(_scene: Scene, browser: TestStranger, login: string, invitation?: string): Promise<URL> {
  const { url } = await browser.call(startOidc, { body: { provider: "uni", ...(invitation === undefined ? {} : { invitation }) } });
  return signInThere(new URL(url), login, cookieFetch());
}

/** Goes all the way from the own profile; gives the address that the dashboard's last page leads to. */
async function linkAs(person: TestPerson, login: string, password?: string): Promise<string> {
  const { url } = await person.call(linkInstitution, { body: { provider: "uni", ...(password === undefined ? {} : { password }) } });
  const back = await signInThere(new URL(url), login, cookieFetch());
  const page = await (await person.fetch(back.href, { redirect: "manual" })).text();
  return /url=([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? page;
}

const password = "correct horse battery";
const refused = /sign-in\?problem=dashboard%2Fsign-in-elsewhere$/;

describeOnEachDatabase("sign-in at an institution", (kind) => {
  it("leads to the account of its verified address, and to the same account when the address has changed there", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    expect(await dashboard.stranger().call(getSession)).toMatchObject({ providers: [{ id: "uni", title: "University" }] });
    await dashboard.person({ email: "a@example.org", isEmailProven: true });
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

  it("leads to an account whose holder linked it from the profile, by the password, until it is taken away again", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    institution.accounts.set("alice", { email: "elsewhere@example.org", email_verified: true });
    const person = await dashboard.person({ email: "a@example.org", password });
    await expect(linkAs(person, "alice")).rejects.toMatchObject({ code: "dashboard/wrong-password" });
    await expect(linkAs(person, "alice", "wrong")).rejects.toMatchObject({ code: "dashboard/wrong-password" });
    expect(await linkAs(person, "alice", password)).toBe(`${dashboard.url}/profile`);
    expect(await linkAs(person, "alice", password)).toBe(`${dashboard.url}/profile`);
    const browser = dashboard.stranger();
    await signInAs(scene, browser, "alice");
    expect(await browser.call(getMe)).toMatchObject({ email: "a@example.org", providers: ["uni"] });
    const other = await dashboard.person({ email: "o@example.org" });
    expect(await linkAs(other, "alice")).toMatch(/profile\?problem=dashboard%2Fconflict$/);
    expect(await person.call(unlinkInstitution, { params: { provider: "uni" } })).toMatchObject({ providers: [] });
    expect(await signInAs(scene, dashboard.stranger(), "alice")).toMatch(refused);
    await expect(person.call(unlinkInstitution, { params: { provider: "uni" } })).rejects.toMatchObject({ code: "dashboard/not-found" });
  });
});

describeOnAnyDatabase("sign-in at an institution", (kind) => {
  it("passes over what an institution says beside the answer (RFC 6749 4.1.2)", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    await dashboard.person({ email: "a@example.org", isEmailProven: true });
    institution.accounts.set("alice", { email: "a@example.org", email_verified: true });
    const browser = dashboard.stranger();
    const back = await beginAs(scene, browser, "alice");
    for (const [name, value] of Object.entries({ authuser: "0", hd: "example.org", prompt: "none" })) back.searchParams.set(name, value);
    expect(await (await browser.fetch(back.href, { redirect: "manual" })).text()).toContain(`url=${dashboard.url}/"`);
    expect(await browser.call(getMe)).toMatchObject({ email: "a@example.org" });
  });

  it("lets nobody in by an address that is not verified, of another domain, or of somebody disabled", async () => {
    const scene = await startScene(kind, { domains: ["example.org"] });
    const { institution, dashboard } = scene;
    await dashboard.person({ email: "a@example.org", isEmailProven: true });
    await dashboard.person({ email: "x@other.org", isEmailProven: true });
    await dashboard.person({ email: "d@example.org", state: "disabled", isEmailProven: true });
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
    const { id } = await dashboard.person({ email: "a@example.org", isEmailProven: true });
    await dashboard.dashboard.parts.db.updateTable("people").set({ totp_is_on: 1 }).where("id", "=", id).execute();
    institution.accounts.set("alice", { email: "a@example.org", email_verified: true });
    const browser = dashboard.stranger();
    await signInAs(scene, browser, "alice");
    expect(await browser.call(getSession)).toMatchObject({ state: "second-factor", person: null });
  });

  it("counts only in the browser that began it, once, with its own state, within ten minutes", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    await dashboard.person({ email: "a@example.org", isEmailProven: true });
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

  it("does not lead to an account whose own address nobody has proven, and says no more than to a stranger", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    const admin = await dashboard.person({ role: "project_admin" });
    // Whoever got the link may have claimed the address of somebody else.
    const { link } = await admin.call(invite, { body: { role: "member", organization: "x", approvesAtOnce: true } });
    const claimed = dashboard.stranger();
    const account = { name: "Mallory", email: "victim@example.org", password };
    await claimed.call(signUp, { body: { token: tokenIn(link ?? ""), ...account } });
    institution.accounts.set("victim", { email: "victim@example.org", email_verified: true });
    institution.accounts.set("nobody", { email: "nobody@example.org", email_verified: true });
    const browser = dashboard.stranger();
    const answers = [await signInAs(scene, browser, "victim"), await signInAs(scene, browser, "nobody")];
    expect(answers[0]).toMatch(refused);
    expect(new Set(answers).size).toBe(1);
    expect(await browser.call(getSession)).toMatchObject({ state: "signed-out" });
    expect(await claimed.call(getMe)).toMatchObject({ providers: [] });
  });

  it("leads to an account whose address was proven by a letter: an invitation, or a new password", async () => {
    const receiver = await startSmtpReceiver();
    const scene = await startScene(kind, {}, { smtp: { url: receiver.url, from: "flare@example.org" } });
    const { institution, dashboard } = scene;
    const admin = await dashboard.person({ role: "project_admin" });
    await admin.call(invite, { body: { email: "a@example.org", role: "member", organization: "x", approvesAtOnce: true } });
    const token = tokenIn((await receiver.next()).text);
    await dashboard.stranger().call(signUp, { body: { token, name: "Alice", password } });
    institution.accounts.set("alice", { email: "a@example.org", email_verified: true });
    const alice = dashboard.stranger();
    expect(await signInAs(scene, alice, "alice")).toBe(`${dashboard.url}/`);

    const before = await dashboard.person({ email: "b@example.org", password });
    institution.accounts.set("thief", { email: "thief@example.org", email_verified: true });
    await linkAs(before, "thief", password);
    institution.accounts.set("bob", { email: "b@example.org", email_verified: true });
    expect(await signInAs(scene, dashboard.stranger(), "bob")).toMatch(refused);
    await dashboard.stranger().call(requestPasswordReset, { body: { email: "b@example.org" } });
    const reset = tokenIn((await receiver.next()).text);
    await dashboard.stranger().call(completePasswordReset, { body: { token: reset, password: `${password} of mine` } });
    const bob = dashboard.stranger();
    expect(await signInAs(scene, bob, "bob")).toBe(`${dashboard.url}/`);
    // Whoever held the account before its address was proven is out, by their institution too.
    expect(await bob.call(getMe)).toMatchObject({ email: "b@example.org", providers: ["uni"] });
    expect(await signInAs(scene, dashboard.stranger(), "thief")).toMatch(refused);
  });

  it("is not linked when the session that asked has ended, and the last way in is not taken away", async () => {
    const scene = await startScene(kind);
    const { institution, dashboard } = scene;
    institution.accounts.set("alice", { email: "a@example.org", email_verified: true });
    const person = await dashboard.person({ email: "a@example.org" });
    const { url } = await person.call(linkInstitution, { body: { provider: "uni" } });
    const back = await signInThere(new URL(url), "alice", cookieFetch());
    await dashboard.dashboard.parts.sessions.endAll(dashboard.dashboard.parts.db, person.id);
    expect(await (await person.fetch(back.href, { redirect: "manual" })).text()).toContain("profile?problem=dashboard%2Fnot-signed-in");
    const again = await dashboard.person({ email: "b@example.org" });
    institution.accounts.set("bob", { email: "b@example.org", email_verified: true });
    await linkAs(again, "bob");
    await expect(again.call(unlinkInstitution, { params: { provider: "uni" } })).rejects.toMatchObject({ code: "dashboard/conflict" });
    expect(await again.call(getMe)).toMatchObject({ providers: ["uni"] });
  });

  it("takes an unverified address with an invitation to it where that is set, and for nothing else", async () => {
    const scene = await startScene(kind, { believesUnverified: true });
    const { institution, dashboard } = scene;
    const admin = await dashboard.person({ role: "project_admin" });
    await dashboard.person({ email: "a@example.org", isEmailProven: true });
    institution.accounts.set("claims", { email: "a@example.org" });
    expect(await signInAs(scene, dashboard.stranger(), "claims")).toMatch(refused);
    institution.accounts.set("bob", { email: "b@example.org" });
    const { link } = await admin.call(invite, { body: { email: "b@example.org", role: "lead", organization: "x" } });
    const browser = dashboard.stranger();
    await signInAs(scene, browser, "bob", tokenIn(link ?? ""));
    expect(await browser.call(getMe)).toMatchObject({ email: "b@example.org" });
  });

  it("that cannot be reached, or does not exist, is said on the page and not a failure of the dashboard", async () => {
    const provider = { id: "uni", title: "University", issuer: "http://127.0.0.1:9", clientId: "x" };
    const dashboard = await startTestDashboard(kind, { oidcProviders: [provider] });
    const begin = (id: string): Promise<unknown> => dashboard.stranger().call(startOidc, { body: { provider: id } });
    await expect(begin("uni")).rejects.toMatchObject({ code: "dashboard/sign-in-elsewhere", status: 403 });
    await expect(begin("x")).rejects.toMatchObject({ code: "dashboard/not-found" });
  });
});
