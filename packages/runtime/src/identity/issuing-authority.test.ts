import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { TestProject } from "../session/test-project.test-support.js";
import { IdentityFolder } from "./identity-folder.js";
import { makeIssuing } from "./issuing.test-support.js";
import { IssuingAuthority } from "./issuing-authority.js";
import { PendingRenewals } from "./pending-renewals.js";

let folder: string;
const hour = 3_600_000;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-issuing-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("a newer issuing certificate that was revoked leaves the older one in force", async () => {
  const project = new TestProject("p");
  const trust = project.trust();
  const older = await makeIssuing(project, { from: new Date(Date.now() - 2 * hour) });
  const authority = await IssuingAuthority.open(
    { trust, folder: new IdentityFolder({ folder: join(folder, "issuing"), name: "issuing" }), now: Date.now },
    { fromKit: older },
  );
  const newer = await makeIssuing(project);
  await authority.request(async () => ({ privateKeyPem: newer.privateKeyPem, csrPem: "" }));
  await authority.adopt(newer.certificatePem, { privateKeyPem: newer.privateKeyPem, csrPem: "" });
  expect(authority.current?.certificatePem).toBe(newer.certificatePem);
  const { serialNumber } = new X509Certificate(newer.certificatePem);
  const revoked = [{ name: "p issuing", serials: [serialNumber], revoked_at_ms: 0, reason: "keyCompromise" as const }];
  trust.accept(project.trustList({ number: 1, revoked }));
  expect(authority.current?.certificatePem).toBe(older.certificatePem);
});

it("two requests of one participant at a time are both written, and one stays", async () => {
  const pending = await PendingRenewals.open({ folder });
  const requestOf = (id: string) => ({
    id,
    kind: "participant" as const,
    name: "site-1",
    org: "o",
    role: "client",
    csrPem: "",
    certificatePem: "",
    requestedAtMs: 1,
  });
  await Promise.all(Array.from({ length: 8 }, (_, i) => pending.put(requestOf(`${i}`))));
  expect(await readdir(folder)).toHaveLength(1);
  expect((await PendingRenewals.open({ folder })).waiting()).toHaveLength(1);
});
