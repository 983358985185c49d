import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { create } from "@bufbuild/protobuf";
import type { ContentHash } from "@flare-ts/contracts";
import { type RenewReply, RenewReplySchema } from "@flare-ts/contracts/wire";
import { issueFromRequest } from "@flare-ts/provision/issue";
import { readHosts, signTrustList } from "@flare-ts/provision/kit";
import { afterEach, describe, expect, it } from "vitest";
import { LiveIdentity } from "../identity/live-identity.js";
import { makeRequest } from "../identity/renew-identity.js";
import type { ProvenRenewal } from "../identity/renewal-desk.js";
import { fingerprintOf, type ProjectKeys, readProjectKeys } from "../session/project-keys.js";
import { TestProject } from "../session/test-project.test-support.js";
import { dialForRenewal } from "./dial-server.js";
import { startTestServer, type TestServer, type TestServerInit, type TestWay } from "./test-server.test-support.js";

const hash = "ef".repeat(32) as ContentHash;
const minute = 60_000;
let server: TestServer;

afterEach(() => server.stop());

/** A server that gives the next certificate, by the root, to whoever has proven to own one; half an hour of grace. */
async function startRenewing(init: TestServerInit = {}): Promise<void> {
  server = await startTestServer({ renew }, { renewalGraceMs: 30 * minute, ...init });
}

async function renew({ subject, csrPem, certificate }: ProvenRenewal): Promise<RenewReply> {
  const chain = await issueFromRequest({
    csrPem,
    issuer: server.project.authority,
    subject,
    hosts: readHosts(certificate),
    validity: { from: new Date(Date.now() - 1000), to: new Date(Date.now() + 60 * minute) },
    purpose: "client",
  });
  return create(RenewReplySchema, { certificate: chain });
}

const endedFor = (ms: number): { validFrom: Date; validTo: Date } => ({
  validFrom: new Date(Date.now() - ms - 60 * minute),
  validTo: new Date(Date.now() - ms),
});

async function askWith(keys: ProjectKeys, name = "site-1"): Promise<RenewReply> {
  return dialForRenewal(server.dialInit(name, keys), (await makeRequest(keys)).csrPem);
}

function refusals(): unknown[] {
  return server.events.filter(({ kind }) => kind === "refused");
}

describe.each<TestWay>(["mtls", "proxy", "clear"])("a certificate over %s", (way) => {
  it("is renewed over the connection that stands, whose session goes on under it", async () => {
    await startRenewing({ way });
    const keys = server.project.issue({ name: "site-1", usage: "client" });
    const identity = new LiveIdentity({ keys });
    const site = await server.dial("site-1", identity);
    const messages: unknown[] = [];
    site.attach((message) => messages.push(message));
    const { csrPem, privateKeyPem } = await makeRequest(keys);
    const { certificate } = await site.renewCertificate(csrPem);
    identity.replace(readProjectKeys({ certificatePem: certificate, privateKeyPem }, keys.trust));
    expect(site.keys.certificatePem).toBe(keys.certificatePem);
    await site.registerAgain();
    await site.stat({ hash, size: 1 });
    expect(site.keys.certificatePem).toBe(certificate);
    const [session] = server.authenticator.sessionsOf("site-1");
    expect(session).toMatchObject({ id: site.sessionId, identity: { fingerprint: fingerprintOf(new X509Certificate(certificate)) } });
    expect(session?.identity.formerFingerprints).toEqual([fingerprintOf(keys.certificate)]);
    expect(refusals()).toEqual([]);
    // The next connection is made with it.
    site.close();
    await expect.poll(() => server.authenticator.sessionsOf("site-1")).toEqual([]);
    await (await server.dial("site-1", identity)).stat({ hash, size: 1 });
  });

  it("that ended within the grace is good for a renewal and for nothing else", async () => {
    await startRenewing({ way });
    const keys = server.project.issue({ name: "site-1", usage: "client", ...endedFor(5 * minute) });
    await expect(server.dial("site-1", keys)).rejects.toMatchObject({ code: "auth/certificate-expired" });
    expect(refusals()).toMatchObject([{ step: "register", code: "auth/certificate-expired", claimedName: "site-1" }]);
    const { certificate } = await askWith(keys);
    expect(keys.trust.verify(certificate, { nowMs: Date.now() })).toMatchObject({ ok: true, subject: { commonName: "site-1" } });
  });

  it("is not renewed with another's key, nor under another name", async () => {
    await startRenewing({ way });
    const keys = server.project.issue({ name: "site-1", usage: "client" });
    const other = server.project.issue({ name: "site-2", usage: "client" });
    const mixed = { ...keys, privateKey: other.privateKey };
    await expect(askWith(mixed)).rejects.toMatchObject({ code: "auth/bad-signature" });
    await expect(askWith(other, "site-1")).rejects.toMatchObject({ code: "auth/name-mismatch" });
    expect(refusals()).toMatchObject([
      { step: "renew", code: "auth/bad-signature" },
      { step: "renew", code: "auth/name-mismatch" },
    ]);
  });
});

describe("a certificate that has ended, over mutual TLS", () => {
  it.each<[string, (project: TestProject) => ProjectKeys, RegExp]>([
    [
      "longer ago than the grace",
      (project) => project.issue({ name: "site-1", usage: "client", ...endedFor(31 * minute) }),
      /CERT_HAS_EXPIRED/,
    ],
    [
      "and is a stranger's",
      (project) => project.issue({ name: "site-1", usage: "client", ...endedFor(minute) }, new TestProject("stranger")),
      /CERT|issuer|signature/i,
    ],
    [
      "and is of another project of the same name",
      (project) => project.issue({ name: "site-1", usage: "client", ...endedFor(minute) }, new TestProject(project.name)),
      /CERT/,
    ],
    ["and was for another use", (project) => project.issue({ name: "site-1", usage: "server", ...endedFor(minute) }), /CERT|PURPOSE/i],
    ["and was a server's", (project) => project.issue({ name: "site-1", role: "server", ...endedFor(minute) }), /CERT_HAS_EXPIRED.*role/],
  ])("is refused in TLS when it ended %s", async (_what, keysOf, reason) => {
    await startRenewing();
    await expect(askWith(keysOf(server.project))).rejects.toMatchObject({ code: "auth/tls-refused" });
    await expect.poll(refusals).toMatchObject([
      {
        step: "tls",
        code: "auth/tls-refused",
        reason: expect.stringMatching(reason),
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      },
    ]);
  });

  it("is refused in TLS when it was revoked", async () => {
    await startRenewing();
    const keys = server.project.issue({ name: "site-1", usage: "client", ...endedFor(minute) });
    const { certificatePem, privateKey } = server.project.authority;
    const revoked = [
      { name: "site-1", serials: [keys.certificate.serialNumber], revoked_at_ms: Date.now(), reason: "keyCompromise" as const },
    ];
    const list = { project: server.project.name, number: 1, issued_at_ms: Date.now(), roots: [certificatePem], revoked };
    server.keys.trust.accept(signTrustList(list, [{ certificate: new X509Certificate(certificatePem), privateKey }]));
    await expect(askWith(keys)).rejects.toMatchObject({ code: "auth/tls-refused" });
    await expect.poll(refusals).toMatchObject([{ step: "tls", reason: expect.stringMatching(/revoked/) }]);
  });

  it("is refused where the project does not renew", async () => {
    server = await startTestServer();
    const keys = server.project.issue({ name: "site-1", usage: "client", ...endedFor(1_000) });
    await expect(askWith(keys)).rejects.toMatchObject({ code: "auth/tls-refused" });
  });

  it("says that it is too late where TLS ends at a proxy", async () => {
    await startRenewing({ way: "clear" });
    const keys = server.project.issue({ name: "site-1", usage: "client", ...endedFor(31 * minute) });
    await expect(askWith(keys)).rejects.toMatchObject({ code: "auth/renewal-too-late" });
  });
});

describe("a session whose certificate ends before the next one is there", () => {
  it("goes on under the next one, as long as the server has not ended it", async () => {
    await startRenewing({ way: "mtls" });
    const keys = server.project.issue({ name: "site-1", usage: "client", validTo: new Date(Date.now() + 2_000) });
    const identity = new LiveIdentity({ keys });
    const site = await server.dial("site-1", identity);
    site.attach(() => undefined);
    let isClosed = false;
    void site.closed.then(() => (isClosed = true));
    const { csrPem, privateKeyPem } = await makeRequest(keys);
    const { certificate } = await site.renewCertificate(csrPem);
    // Its owner has not written it down yet when the token is renewed.
    await expect.poll(() => Date.now() > Date.parse(keys.certificate.validTo)).toBe(true);
    await site.registerAgain();
    expect(refusals()).toContainEqual(expect.objectContaining({ step: "register", code: "auth/certificate-expired" }));
    identity.replace(readProjectKeys({ certificatePem: certificate, privateKeyPem }, keys.trust));
    await site.registerAgain();
    await site.stat({ hash, size: 1 });
    expect(isClosed).toBe(false);
    expect(server.authenticator.sessionsOf("site-1").map(({ id }) => id)).toEqual([site.sessionId]);
  });
});

describe("a token", () => {
  it("does not outlive its certificate", async () => {
    let nowMs = Date.now();
    await startRenewing({ now: () => nowMs });
    const keys = server.project.issue({ name: "site-1", usage: "client", validTo: new Date(Date.now() + 10 * minute) });
    const site = await server.dial("site-1", keys);
    nowMs += 9 * minute;
    await site.stat({ hash, size: 1 });
    expect(server.authenticator.expiredSessions()).toEqual([]);
    nowMs += 2 * minute;
    expect(server.authenticator.expiredSessions()).toMatchObject([{ session: { id: site.sessionId } }]);
    await expect(site.stat({ hash, size: 1 })).rejects.toMatchObject({ code: "auth/token-expired" });
  });
});

describe("a server that has got another certificate", () => {
  it.each<TestWay>(["mtls", "tls"])("shows it in the next handshake over %s, and every connection goes on", async (way) => {
    const project = new TestProject("test-project");
    const identity = new LiveIdentity({ keys: project.server() });
    server = await startTestServer({}, { way, testProject: project, keys: identity });
    const keys = project.issue({ name: "site-1", usage: "client" });
    const shown = async (): Promise<string> => {
      const { certificatePem: cert, privateKeyPem: key } = keys;
      const socket = connect({ host: "localhost", port: server.port, ca: keys.trust.rootBundlePem, cert, key, ALPNProtocols: ["h2"] });
      await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
      const fingerprint = fingerprintOf(socket.getPeerX509Certificate() ?? keys.certificate);
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve).end());
      return fingerprint;
    };
    const site = await server.dial("site-1", keys);
    const old = fingerprintOf(identity.certificate);
    expect(await shown()).toBe(old);
    identity.replace(project.server());
    server.transport.renewTls();
    expect(await shown()).toBe(fingerprintOf(identity.certificate));
    expect(fingerprintOf(identity.certificate)).not.toBe(old);
    await site.stat({ hash, size: 1 });
    await site.registerAgain();
    expect(site.serverChainPem).toBe(identity.certificatePem);
    await site.stat({ hash, size: 1 });
    await (await server.dial("site-2")).stat({ hash, size: 1 });
    expect(refusals()).toEqual([]);
  });

  it("still proves itself by the old one to whoever was shown that", async () => {
    const project = new TestProject("test-project");
    const identity = new LiveIdentity({ keys: project.server() });
    server = await startTestServer({}, { testProject: project, keys: identity });
    // Handshakes show the old one, as for a connection that was made a moment before the renewal.
    identity.replace(project.server());
    const site = await server.dial("site-1");
    expect(site.serverChainPem).not.toBe(identity.certificatePem);
    await site.registerAgain();
    expect(site.serverChainPem).toBe(identity.certificatePem);
    await site.stat({ hash, size: 1 });
  });
});
