import { expect, it } from "vitest";
import { getMe, updateMe } from "../contract/me.js";
import { getSession } from "../contract/session.js";
import { describeOnAnyDatabase, startTestDashboard, type TestPerson } from "../test-dashboard.test-support.js";

const patchName = (url: string, headers: Record<string, string>): [string, RequestInit] => [
  `${url}/api/v1/me`,
  { method: "PATCH", body: JSON.stringify({ name: "X" }), headers: { "content-type": "application/json", ...headers } },
];

describeOnAnyDatabase("a change", (kind) => {
  it("needs the token of its own session", async () => {
    const { url, person } = await startTestDashboard(kind);
    const [somebody, other] = [await person(), await person()];
    const { csrfToken } = await other.call(getSession);
    for (const token of ["", "x", csrfToken ?? ""]) {
      const answer = await somebody.fetch(...patchName(url, { "x-csrf-token": token }));
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { code: "dashboard/csrf" } });
    }
    expect(await somebody.call(updateMe, { body: { name: "X" } })).toMatchObject({ name: "X" });
  });

  it("does not come from another site's page, whatever it carries", async () => {
    const { url, person, stranger } = await startTestDashboard(kind);
    const somebody = await person();
    const csrfToken = await tokenOf(somebody);
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await somebody.fetch(...patchName(url, { "x-csrf-token": csrfToken, ...headers }))).status;
    expect(await status({ origin: "https://evil.example" })).toBe(403);
    expect(await status({ origin: "null" })).toBe(403);
    expect(await status({ origin: url.replace("http:", "https:") })).toBe(403);
    expect(await status({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await status({ "sec-fetch-site": "same-site" })).toBe(403);
    expect(await status({ origin: url, "sec-fetch-site": "same-origin" })).toBe(200);
    const signIn = await stranger().fetch(`${url}/api/v1/session`, {
      method: "POST",
      body: JSON.stringify({ email: "a@example.org", password: "x" }),
      headers: { "content-type": "application/json", origin: "https://evil.example" },
    });
    expect(signIn.status).toBe(403);
  });

  it("is JSON: what a form of another page can send is not read", async () => {
    const { url, stranger } = await startTestDashboard(kind);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const answer = await stranger().fetch(`${url}/api/v1/session`, { method: "POST", body: "{}", headers: { "content-type": type } });
      expect(answer.status).toBe(415);
    }
  });

  it("is never allowed from elsewhere by CORS", async () => {
    const { url, stranger } = await startTestDashboard(kind);
    const headers = { origin: "https://evil.example", "access-control-request-method": "PATCH" };
    const answer = await stranger().fetch(`${url}/api/v1/me`, { method: "OPTIONS", headers });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(answer.status).toBe(404);
  });
});

describeOnAnyDatabase("a request", (kind) => {
  it("with a made-up cookie is a stranger's", async () => {
    const { url, stranger } = await startTestDashboard(kind);
    for (const cookie of ["flare=x", `flare=${"A".repeat(43)}`, "flare=' or 1=1", "flare=%00", "__Host-flare=x"]) {
      const answer = await fetch(`${url}/api/v1/me`, { headers: { cookie } });
      expect(answer.status).toBe(401);
    }
    await expect(stranger().call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in", status: 401 });
  });

  it("is answered with headers that let a browser do nothing with it", async () => {
    const { url } = await startTestDashboard(kind);
    const { headers } = await fetch(`${url}/api/v1/session`);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-powered-by")).toBeNull();
  });

  it("beyond the limits of its address is refused with how long to wait", async () => {
    const { url } = await startTestDashboard(kind, { rateLimits: { requestsPerMinute: 5, openChangesPerMinute: 2 } });
    const signIn = (): Promise<Response> =>
      fetch(`${url}/api/v1/session`, {
        method: "POST",
        body: '{"email":"a@example.org","password":"x"}',
        headers: { "content-type": "application/json" },
      });
    expect([(await signIn()).status, (await signIn()).status, (await signIn()).status]).toEqual([401, 401, 429]);
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${url}/healthz`)).status);
    expect(statuses).toEqual([200, 200, 429]);
    const refusal = await fetch(`${url}/api/v1/session`);
    expect(Number(refusal.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refusal.json()).toMatchObject({ error: { code: "dashboard/too-many-requests" } });
  });

  it("for something that is not there, or with a body that is too large, is answered in the same form", async () => {
    const { url, person } = await startTestDashboard(kind);
    const missing = await fetch(`${url}/api/v1/nothing`);
    expect([missing.status, await missing.json()]).toMatchObject([404, { error: { code: "dashboard/route-unknown" } }]);
    const somebody = await person();
    const [path, init] = patchName(url, {});
    const large = await somebody.fetch(path, { ...init, body: JSON.stringify({ name: "x".repeat(2_000_000) }) });
    expect([large.status, await large.json()]).toMatchObject([413, { error: { code: "dashboard/too-large" } }]);
    const bad = await somebody.fetch(path, { ...init, body: "{", headers: { "content-type": "application/json" } });
    expect([bad.status, await bad.json()]).toMatchObject([400, { error: { code: "dashboard/invalid-request" } }]);
  });
});

async function tokenOf(person: TestPerson): Promise<string> {
  return (await person.call(getSession)).csrfToken ?? "";
}
