import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKeyPair, createRequest, issueFromRequest, keyPairFromPem } from "@flare-ts/provision/issue";
import { ProjectTrust, readCertificates, readSubject } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fingerprintOf, type ProjectKeys } from "../session/project-keys.js";
import { TestProject } from "../session/test-project.test-support.js";
import { GivenCertificates } from "./given-certificates.js";
import { IdentityFolder } from "./identity-folder.js";
import { makeIssuing, type TestIssuingInit } from "./issuing.test-support.js";
import { IssuingAuthority } from "./issuing-authority.js";
import { PendingRenewals, renewalId } from "./pending-renewals.js";
import { makeRequest } from "./renew-identity.js";
import { type ProvenRenewal, RenewalDesk, type RenewalDeskInit } from "./renewal-desk.js";

let folder: string;
const project = new TestProject("p");
const hour = 3_600_000;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-desk-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function openDesk(init: Partial<RenewalDeskInit> & { readonly issuing?: TestIssuingInit; readonly nowMs?: () => number } = {}) {
  const now = init.nowMs ?? Date.now;
  const trust = ProjectTrust.from({ project: project.name, rootCaPem: project.rootCaPem });
  const authority = await IssuingAuthority.open(
    { trust, folder: new IdentityFolder({ folder: join(folder, "issuing"), name: "issuing" }), now },
    { fromKit: await makeIssuing(project, init.issuing) },
  );
  const pending = await PendingRenewals.open({ folder: join(folder, "renewals") });
  const given = await GivenCertificates.open({ file: join(folder, "given.json"), keepMs: 0 });
  const desk = new RenewalDesk(
    { trust, authority, pending, given, now },
    { renewal: "server", leafLifetimeMs: hour, serverMayRenew: ["client", "server"], ...init },
  );
  return { desk, trust, pending };
}

async function proven(keys: ProjectKeys, change: Partial<ProvenRenewal> = {}): Promise<ProvenRenewal> {
  const { csrPem } = await makeRequest(keys);
  return { chainPem: keys.certificatePem, certificate: keys.certificate, subject: readSubject(keys.certificate), csrPem, ...change };
}

describe("the desk of renewals", () => {
  it.each([
    ["client", "client"],
    ["server", "server"],
  ] as const)("gives a %s the same certificate for another key and later dates", async (role, usage) => {
    const { desk, trust } = await openDesk();
    const old = project.issue({ name: "somebody", role, usage, validTo: new Date(Date.now() + hour / 4) });
    const request = await proven(old);
    const chain = (await desk.renew(request)) ?? "";
    const verdict = trust.verify(chain, { nowMs: Date.now() });
    if (!verdict.ok) throw new Error(verdict.message);
    const { certificate } = verdict;
    expect(readCertificates(chain)).toHaveLength(2);
    expect(readSubject(certificate)).toEqual(readSubject(old.certificate));
    expect(certificate.subjectAltName).toBe(old.certificate.subjectAltName);
    expect(certificate.keyUsage).toEqual(old.certificate.keyUsage);
    expect(certificate.publicKey.equals(old.certificate.publicKey)).toBe(false);
    expect(Math.abs(Date.parse(certificate.validTo) - Date.now() - hour)).toBeLessThan(5_000);
  });

  it("never gives one that begins before the old one, nor one that outlives the issuing certificate", async () => {
    const to = new Date(Date.now() + hour / 2);
    const { desk } = await openDesk({ issuing: { to } });
    const validFrom = new Date(Date.now() - 2_000);
    const chain = (await desk.renew(await proven(project.issue({ name: "a", validFrom, usage: "client" })))) ?? "";
    const certificate = new X509Certificate(chain);
    expect(Date.parse(certificate.validFrom)).toBeGreaterThanOrEqual(Math.floor(validFrom.getTime() / 1000) * 1000);
    expect(Date.parse(certificate.validTo)).toBeLessThanOrEqual(to.getTime());
  });

  it("knows, also when it is opened again, what a revocation covers that came later than a renewal of what was revoked", async () => {
    const { desk } = await openDesk();
    const validFrom = new Date(Date.now() - 6 * hour);
    const stolen = project.issue({ name: "site-1", usage: "client", validFrom });
    const second = new X509Certificate((await desk.renew(await proven(stolen))) ?? "");
    const chainPem = (await desk.renew({ ...(await proven(stolen)), certificate: second })) ?? "";
    const third = { name: "site-1", fingerprint: fingerprintOf(new X509Certificate(chainPem)) };
    const returned = new X509Certificate((await desk.renew(await proven(project.issue({ name: "site-1", usage: "client" })))) ?? "");
    const reopened = await openDesk();
    expect(reopened.desk.isOfRevoked(third)).toBe(false);
    const revoked = { name: "site-1", serials: [], revoked_at_ms: Date.now() - 3 * hour, reason: "keyCompromise" as const };
    reopened.trust.accept(project.trustList({ number: 1, revoked: [revoked] }));
    // By its own dates alone it would be good.
    expect(reopened.trust.verify(chainPem, { nowMs: Date.now() }).ok).toBe(true);
    expect(reopened.desk.isOfRevoked(third)).toBe(true);
    expect(reopened.desk.isOfRevoked({ name: "site-1", fingerprint: fingerprintOf(returned) })).toBe(false);
    expect((await stat(join(folder, "given.json"))).mode & 0o777).toBe(0o600);
    await writeFile(join(folder, "given.json"), "[{}]");
    await expect(openDesk()).rejects.toMatchObject({ code: "file/unreadable" });
  });

  it("refuses a request for another name, organisation or role, for the old key, or that is none", async () => {
    const { desk } = await openDesk();
    const keys = project.issue({ name: "site-1", usage: "client" });
    const keyPair = await createKeyPair("p256");
    const subject = { commonName: "site-1", org: "org_a", role: "client" };
    const requests = await Promise.all([
      ...[{ commonName: "site-2" }, { org: "org_b" }, { role: "project_admin" }].map((other) =>
        createRequest({ subject: { ...subject, ...other }, keyPair }),
      ),
      createRequest({ subject, keyPair: keyPairFromPem(keys.privateKeyPem) }),
    ]);
    for (const csrPem of [...requests, "no request", requests[0]?.replace(/M/g, "N") ?? ""]) {
      await expect(desk.renew(await proven(keys, { csrPem }))).rejects.toMatchObject({ code: "auth/renewal-refused" });
    }
  });

  it("refuses where the project does not renew, and says that it cannot where its issuing certificate has ended", async () => {
    const keys = project.issue({ name: "site-1", usage: "client" });
    const none = await openDesk({ renewal: "none" });
    await expect(none.desk.renew(await proven(keys))).rejects.toMatchObject({ code: "auth/renewal-not-offered" });
    const ended = await openDesk({ issuing: { to: new Date(Date.now() - 1000) } });
    await expect(ended.desk.renew(await proven(keys))).rejects.toMatchObject({ code: "auth/renewal-impossible" });
    const limited = await openDesk({ issuing: { mayIssue: ["server"] } });
    await expect(limited.desk.renew(await proven(keys))).rejects.toMatchObject({ code: "auth/renewal-impossible" });
  });

  it("gives so many within the life of one, and then again", async () => {
    let nowMs = Date.now();
    const { desk } = await openDesk({ nowMs: () => nowMs });
    const keys = project.issue({ name: "site-1", usage: "client" });
    const request = await proven(keys);
    for (let i = 0; i < 10; i++) await desk.renew(request);
    await expect(desk.renew(request)).rejects.toMatchObject({ code: "auth/renewal-too-often" });
    await desk.renew(await proven(project.issue({ name: "site-2", usage: "client" })));
    nowMs += hour;
    await desk.renew(request);
  });

  it("keeps the request of whom it may not issue for until somebody with the project's key has signed it", async () => {
    const { desk, pending } = await openDesk();
    const keys = project.issue({ name: "ann@a.org", role: "lead", usage: "client" });
    const request = await proven(keys);
    expect(await desk.renew(request)).toBeUndefined();
    expect(await desk.renew(request)).toBeUndefined();
    const [waiting] = pending.waiting();
    expect(waiting).toMatchObject({ id: renewalId(request.csrPem), kind: "participant", name: "ann@a.org", role: "lead" });
    const sign = (csrPem: string, subject = { commonName: "ann@a.org", org: "org_a", role: "lead" }) =>
      issueFromRequest({
        csrPem,
        issuer: project.authority,
        subject,
        hosts: ["ann@a.org"],
        validity: { from: new Date(), to: new Date(Date.now() + hour) },
        purpose: "client",
      });
    const id = waiting?.id ?? "";
    const other = await makeRequest(keys);
    for (const certificate of [
      await sign(other.csrPem),
      await sign(request.csrPem, { commonName: "ann@a.org", org: "org_a", role: "project_admin" }),
      keys.certificatePem,
      "no certificate",
    ]) {
      await expect(desk.complete(id, certificate)).rejects.toMatchObject({ code: "auth/renewal-refused" });
    }
    const signed = await sign(request.csrPem);
    await expect(desk.complete("unknown", signed)).rejects.toMatchObject({ code: "auth/renewal-refused" });
    await desk.complete(id, signed);
    expect(pending.waiting()).toEqual([]);
    // Also for a server that was started anew.
    const reopened = await openDesk();
    expect(await reopened.desk.renew(request)).toBe(signed);
  });

  it("refuses a request that was declined, also for a server that was started anew, and takes the participant's next one", async () => {
    const { desk, pending } = await openDesk();
    const keys = project.issue({ name: "ann@a.org", role: "lead", usage: "client" });
    const request = await proven(keys);
    await desk.renew(request);
    const id = renewalId(request.csrPem);
    await desk.decline(id);
    expect(pending.waiting()).toEqual([]);
    for (const again of [desk, (await openDesk()).desk]) {
      await expect(again.renew(request)).rejects.toMatchObject({ code: "auth/renewal-refused" });
      await expect(again.complete(id, keys.certificatePem)).rejects.toMatchObject({ code: "auth/renewal-refused" });
      await expect(again.decline(id)).rejects.toMatchObject({ code: "auth/renewal-refused" });
    }
    const next = await proven(keys);
    expect(await desk.renew(next)).toBeUndefined();
    expect(pending.waiting()).toMatchObject([{ id: renewalId(next.csrPem) }]);
  });
});
