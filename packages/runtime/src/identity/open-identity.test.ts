import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provision } from "@flare-ts/provision";
import { type Kit, ProjectTrust, readKit } from "@flare-ts/provision/kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ProjectKeys } from "../session/project-keys.js";
import { TestProject, type TestSubject } from "../session/test-project.test-support.js";
import { IdentityFolder } from "./identity-folder.js";
import { openIdentity } from "./open-identity.js";

const hour = 3_600_000;
const nowMs = Date.now();
const project = new TestProject("p");
let folder: string;
let made: Kit;
let identities: IdentityFolder;
let warnings: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-open-"));
  const projectFile = join(folder, "project.yml");
  const participants = [
    { name: "localhost", type: "server", org: "o" },
    { name: "site-1", type: "client", org: "org_a" },
    { name: "a@b.org", type: "admin", org: "o", role: "lead" },
  ];
  await writeFile(projectFile, JSON.stringify({ api_version: 3, name: "p", description: "", participants }));
  const { prodDir } = await provision({ projectFile, workspace: folder, caKey: "clear" });
  made = await readKit(join(prodDir, "site-1"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  warnings = [];
  await rm(join(folder, "identity"), { recursive: true, force: true });
  identities = new IdentityFolder({ folder: join(folder, "identity"), name: "client" });
});

/** A certificate of the site that began and ends so many hours from now. */
function issue(fromHours: number, toHours: number, other: Partial<TestSubject> = {}): ProjectKeys {
  const dates = { validFrom: new Date(nowMs + fromHours * hour), validTo: new Date(nowMs + toHours * hour) };
  return project.issue({ name: "site-1", usage: "client", ...dates, ...other });
}

async function keep({ certificatePem, privateKeyPem }: ProjectKeys): Promise<void> {
  await identities.pending(() => Promise.resolve({ privateKeyPem, csrPem: "a request" }));
  await identities.adopt(certificatePem, { privateKeyPem });
}

/** Opens the identity of a kit with this certificate; an hour of grace. */
async function open(kit: ProjectKeys, renewal: "server" | "none" = "server"): Promise<string> {
  const { certificatePem, privateKeyPem } = kit;
  const certificates = { renewal, leafLifetimeMs: hour, renewalGraceMs: hour, serverMayRenew: [] };
  const opened = await openIdentity({
    kit: { ...made, certificatePem, privateKeyPem, certificates },
    trust: ProjectTrust.from({ project: "p", rootCaPem: project.rootCaPem }),
    folder: identities,
    nowMs,
    warn: (message) => warnings.push(message),
  });
  return opened.certificatePem;
}

describe("who a participant is at its start", () => {
  it("is the newest certificate that is good, of its kit or of a renewal", async () => {
    const kit = issue(-5, 5);
    expect(await open(kit)).toBe(kit.certificatePem);
    const renewed = issue(-1, 3);
    await keep(renewed);
    expect(await open(kit)).toBe(renewed.certificatePem);
    expect(await open(issue(-5, -4))).toBe(renewed.certificatePem);
    const newKit = issue(-0.5, 5);
    expect(await open(newKit)).toBe(newKit.certificatePem);
    expect(warnings).toEqual([]);
  });

  it("is the last one that may still be renewed, when none is good any more", async () => {
    const renewed = issue(-3, -0.5);
    await keep(renewed);
    expect(await open(issue(-9, -7))).toBe(renewed.certificatePem);
    const kit = issue(-3, -0.2);
    expect(await open(kit)).toBe(kit.certificatePem);
  });

  it.each<[string, () => Promise<void>, string]>([
    ["that is damaged", async () => mkdir(join(folder, "identity", "abcd"), { recursive: true }).then(() => undefined), "damaged"],
    ["of another participant", () => keep(issue(-1, 3, { name: "site-2" })), "not used"],
    ["of another role", () => keep(issue(-1, 3, { role: "project_admin" })), "not used"],
    ["of another project", () => keep(new TestProject("p").issue({ name: "site-1" })), "not used"],
    ["that ended before the grace", () => keep(issue(-9, -2)), "not used"],
  ])("is its kit's certificate beside a renewed one %s, with a warning", async (_what, lay, warning) => {
    await lay();
    const kit = issue(-5, 5);
    expect(await open(kit)).toBe(kit.certificatePem);
    expect(warnings).toEqual([expect.stringContaining(warning)]);
  });

  it("is nobody when everything ended before the grace, or where the project does not renew", async () => {
    await expect(open(issue(-9, -2))).rejects.toMatchObject({ code: "kit/expired" });
    await expect(open(issue(-9, -0.5), "none")).rejects.toMatchObject({ code: "kit/expired" });
    await expect(open(issue(1, 2))).rejects.toMatchObject({ code: "kit/not-yet-valid" });
  });
});
