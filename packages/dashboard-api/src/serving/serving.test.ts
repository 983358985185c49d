import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKeyPair, issueOwnCertificate, privateKeyPem } from "@flare-ts/provision/issue";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type StartDashboardInit, startDashboard } from "../start-dashboard.js";
import { TestClock, testScryptCost } from "../test-dashboard.test-support.js";
import { openOwnCertificate } from "./own-certificate.js";

const day = 24 * 3_600_000;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flare-serving-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function get(url: string, options: RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { ...options, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const settings = (more: Partial<StartDashboardInit> = {}): StartDashboardInit => ({
  dataFolder: join(folder, "data"),
  port: 0,
  scryptCost: testScryptCost,
  ...more,
});

describe("a dashboard", () => {
  it("serves HTTPS by a certificate of its own, which it keeps, readable by its owner only", async () => {
    const first = await startDashboard(settings());
    const path = join(folder, "data", "tls", "dashboard.pem");
    const pem = readFileSync(path, "utf8");
    expect(first.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const certificate = new X509Certificate(pem);
    expect(first.fingerprint).toBe(certificate.fingerprint256);
    const answer = await get(`${first.url}/healthz`, { ca: pem });
    expect(answer).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    // A certificate that nobody knows must not lock browsers out after the first visit.
    expect(answer.headers["strict-transport-security"]).toBeUndefined();
    await expect(get(`${first.url}/healthz`, {})).rejects.toThrow(/self.signed/);
    await first.stop();
    const second = await startDashboard(settings());
    expect(second.fingerprint).toBe(first.fingerprint);
    await second.stop();
  });

  it("gives its cookie to TLS only, bound to its own host", async () => {
    const clock = new TestClock();
    const running = await startDashboard(settings(), { now: clock.now });
    const { parts } = running.dashboard;
    await parts.db
      .insertInto("people")
      .values({
        id: "6f1c0d2e-8a4b-4c3d-9e5f-0a1b2c3d4e5f",
        email: "a@example.org",
        name: "A",
        organization: "x",
        role: "member",
        state: "approved",
        password_hash: await parts.passwords.hash("p"),
        totp_secret: null,
        totp_is_on: 0,
        totp_last_step: 0,
        created_at_ms: 0,
        last_sign_in_at_ms: null,
      })
      .execute();
    const body = JSON.stringify({ email: "a@example.org", password: "p" });
    const headers = { "content-type": "application/json", "content-length": body.length, origin: running.url };
    const answer = await get(`${running.url}/api/v1/session`, { method: "POST", headers, rejectUnauthorized: false }, body);
    expect(answer.status).toBe(200);
    const [session, device, ...others] = answer.headers["set-cookie"] ?? [];
    expect(session).toMatch(/^__Host-flare=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(device).toMatch(/^__Host-flare-device=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(others).toEqual([]);
    await running.stop();
  });

  it("serves a given certificate, with HSTS, and refuses a key that does not belong to it", async () => {
    const write = async (name: string): Promise<{ certificateFile: string; keyFile: string; cert: string }> => {
      const { privateKey, publicKey } = await createKeyPair("p256");
      const validity = { from: new Date(Date.now() - day), to: new Date(Date.now() + day) };
      const cert = await issueOwnCertificate({ commonName: name, privateKey, publicKey, validity, hosts: ["127.0.0.1"] });
      const paths = { certificateFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
      writeFileSync(paths.certificateFile, cert);
      writeFileSync(paths.keyFile, privateKeyPem({ privateKey }));
      return { ...paths, cert };
    };
    const [one, other] = [await write("one"), await write("other")];
    const running = await startDashboard(settings({ security: { kind: "given", ...one } }));
    const answer = await get(`${running.url}/healthz`, { ca: one.cert });
    expect(answer.headers["strict-transport-security"]).toContain("max-age=31536000");
    await running.stop();
    const mixed = { kind: "given", certificateFile: one.certificateFile, keyFile: other.keyFile } as const;
    await expect(startDashboard(settings({ security: mixed }))).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
    const absent = { kind: "given", certificateFile: join(folder, "none"), keyFile: other.keyFile } as const;
    await expect(startDashboard(settings({ security: absent }))).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
  });

  it("says why it cannot listen, and lets go of its folder", async () => {
    const running = await startDashboard(settings());
    const port = Number(new URL(running.url).port);
    const second = settings({ dataFolder: join(folder, "second"), port });
    await expect(startDashboard(second)).rejects.toMatchObject({ code: "dashboard/cannot-listen", facts: { port, code: "EADDRINUSE" } });
    await running.stop();
    await expect(startDashboard({ ...second, host: "192.0.2.1" })).rejects.toMatchObject({
      code: "dashboard/cannot-listen",
      facts: { code: "EADDRNOTAVAIL" },
    });
    await expect(startDashboard({ ...second, host: "nowhere.invalid" })).rejects.toMatchObject({ code: "dashboard/cannot-listen" });
    await (await startDashboard(second)).stop();
  });

  it("is clear on loopback only, and behind a proxy by its public address only", async () => {
    const refused = async (more: Partial<StartDashboardInit>): Promise<void> => {
      await expect(startDashboard(settings(more))).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
    };
    await refused({ security: { kind: "clear" }, host: "0.0.0.0" });
    await refused({ security: { kind: "clear" }, host: "::" });
    await refused({ security: { kind: "proxy", trustedProxies: ["127.0.0.1"] } });
    await refused({ security: { kind: "proxy", trustedProxies: [] }, publicUrl: "https://flare.example.org" });
    for (const proxy of ["nginx", "10.0.0.1:80", "10.0.0.0/99", "10.0.0.0/8/8", "10.0.0.0/0"])
      await refused({ security: { kind: "proxy", trustedProxies: ["127.0.0.1", proxy] }, publicUrl: "https://flare.example.org" });
    await refused({ security: { kind: "proxy", trustedProxies: ["127.0.0.1"] }, publicUrl: "http://flare.example.org" });
    await refused({ publicUrl: "flare.example.org" });
  });

  it("behind a proxy believes only that proxy for whom it asks, and gives links with the public address", async () => {
    const security = { kind: "proxy", trustedProxies: ["127.0.0.1"] } as const;
    const running = await startDashboard(
      settings({ security, publicUrl: "https://flare.example.org/", rateLimits: { requestsPerMinute: 2 } }),
    );
    expect(running.setUpLink).toMatch(/^https:\/\/flare\.example\.org\/set-up#/);
    const ask = async (address: string): Promise<number> =>
      (await fetch(`${running.listensAt}/healthz`, { headers: { "x-forwarded-for": address } })).status;
    expect([await ask("192.0.2.1"), await ask("192.0.2.1"), await ask("192.0.2.1"), await ask("192.0.2.2")]).toEqual([200, 200, 429, 200]);
    // What somebody writes before the proxy adds the real address is not believed.
    expect(await ask("203.0.113.9, 192.0.2.1")).toBe(429);
    const metrics = await fetch(`${running.listensAt}/metrics`, { headers: { "x-forwarded-for": "192.0.2.7" } });
    expect(metrics.status).toBe(403);
    await running.stop();
  });
});

describe("the own certificate", () => {
  it("is made anew when it comes to its end, lacks a host, or is damaged", async () => {
    const clock = new TestClock();
    const open = (hosts: readonly string[] = ["localhost", "127.0.0.1"]): Promise<{ cert: string }> =>
      openOwnCertificate({ dataFolder: folder, hosts, now: clock.now });
    const first = await open();
    clock.advance(300 * day);
    expect(await open()).toEqual(first);
    clock.advance(80 * day);
    const second = await open();
    expect(second.cert).not.toBe(first.cert);
    const third = await open(["localhost", "127.0.0.1", "flare.example.org"]);
    expect(new X509Certificate(third.cert).checkHost("flare.example.org")).toBeDefined();
    expect(await open()).toEqual(third);
    const fourth = await open(["localhost", "m\u00fcller"]);
    expect(new X509Certificate(fourth.cert).checkHost("xn--mller-kva")).toBeDefined();
    expect(await open(["localhost", "m\u00fcller"])).toEqual(fourth);
    writeFileSync(join(folder, "tls", "dashboard.pem"), "half a fi");
    expect([third.cert, fourth.cert]).not.toContain((await open()).cert);
  });
});
