import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { provision, readProjectTrust } from "@flare-ts/provision";
import { readKit, verifyKit } from "@flare-ts/provision/kit";
import { expect, it } from "vitest";
import { issueServerKit } from "../contract/kits.js";
import { exportProject, freezeProject, getProject, importProject, lockProject, unlockProject, updateProject } from "../contract/project.js";
import { createSite, decideSite, listSites } from "../contract/sites.js";
import { caPassphrase, startFrozenDashboard, testProject } from "../kits/frozen-dashboard.test-support.js";
import { describeOnAnyDatabase, describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

describeOnEachDatabase("the project", (kind) => {
  it("takes any name of an organisation, such as one that every object has", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    const { id } = await admin.call(createSite, { body: { name: "site-1", organization: "constructor" } });
    await admin.call(decideSite, { params: { id }, body: { decision: "approve" } });
    await admin.call(updateProject, { body: { name: "cancer", studies: [{ name: "lungs", sites: ["site-1"], people: [] }] } });
    expect(await (await admin.call(exportProject)).text()).toMatch(/site_orgs:\s+constructor:\s+- site-1/);
  });

  it("is written until it is frozen, and says what is missing", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    const lead = await dashboard.person({ role: "lead" });
    expect(await lead.call(getProject)).toMatchObject({
      state: "draft",
      authority: null,
      version: 1,
      missing: [{}, {}].map(() => expect.any(String)),
    });
    await expect(admin.call(freezeProject, { body: { passphrase: caPassphrase } })).rejects.toMatchObject({ code: "dashboard/conflict" });
    const server = { ...testProject.server, hosts: ["127.0.0.1"] };
    const updated = await admin.call(updateProject, { body: { name: "cancer", server, startsAtMs: 5, endsAtMs: 9, version: 1 } });
    expect(updated).toMatchObject({
      name: "cancer",
      server: { port: 8002 },
      missing: [],
      version: 2,
      certificates: { leafLifetime: "90d" },
    });
    const refused = async (body: object, code = "dashboard/invalid-request"): Promise<void> => {
      await expect(admin.call(updateProject, { body })).rejects.toMatchObject({ code });
    };
    await refused({ title: "other", version: 1 }, "dashboard/changed-meanwhile");
    await refused({ endsAtMs: 4 });
    await refused({ name: "../etc" });
    await refused({ studies: [{ name: "lungs", sites: ["nobody"], people: [] }] });
    await refused({ titel: "x" });
    await expect(lead.call(updateProject, { body: { title: "x" } })).rejects.toMatchObject({ code: "dashboard/not-allowed" });
    expect(await admin.call(getProject)).toMatchObject({ version: 2, title: "" });
  });

  it("lets the logs of no site be read until somebody says so, also where an imported file says nothing", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    expect(await admin.call(getProject)).toMatchObject({ allowLogStreaming: false });
    const text = (said: string): string => `api_version: 3
name: cancer
${said}
participants:
  - { name: localhost, type: server, org: a }
  - { name: site-1, type: client, org: a }
`;
    const shared = async (): Promise<boolean[]> => [
      (await admin.call(getProject)).allowLogStreaming,
      ...(await admin.call(listSites)).sites.map(({ allowLogStreaming }) => allowLogStreaming),
    ];
    await admin.call(importProject, { body: { text: text("") } });
    expect(await shared()).toEqual([false, false]);
    await admin.call(createSite, { body: { name: "site-2", organization: "a" } });
    expect(await shared()).toEqual([false, false, false]);
    await admin.call(importProject, { body: { text: text("allow_log_streaming: true") } });
    expect((await shared()).slice(0, 2)).toEqual([true, true]);
  });

  it("goes out as project.yml and comes in again, with sites and what only the dashboard knows", async () => {
    const from = await startTestDashboard(kind);
    const admin = await from.person({ role: "project_admin", organization: "consortium", email: "admin@example.org" });
    await from.person({ role: "lead", organization: "hospital_a", email: "lead@example.org" });
    const text = await readFile(new URL("./imported.fixture.yml", import.meta.url), "utf8");
    const first = await admin.call(importProject, { body: { text } });
    expect(first).toMatchObject({
      addedSites: ["hospital-a", "hospital-b"],
      changedSites: [],
      peopleToInvite: [{ email: "boss@b.example.org", organization: "hospital_b", role: "org_admin" }],
      project: {
        name: "lungs",
        title: "All lungs",
        server: { name: "fl.example.org", port: 8102, hosts: ["localhost"], organization: "consortium" },
        certificates: { keyType: "p256", leafLifetime: "30d", rootValidDays: 700, renewal: "ca_holder" },
        studies: [{ name: "biopsies", sites: ["hospital-a"], people: ["lead@example.org"] }],
        siteProperties: [{ key: "irb", label: "Approval of the ethics board", isRequired: true }],
        dockerImage: "example/flare:1",
      },
    });
    expect(first.warnings.join()).toContain("connect_to of 'hospital-b'");
    const exported = await (await admin.call(exportProject)).text();
    const to = await startTestDashboard(kind);
    const other = await to.person({ role: "project_admin" });
    const second = await other.call(importProject, { body: { text: exported } });
    expect(second.project).toEqual({ ...first.project, version: second.project.version });
    expect((await other.call(listSites)).sites).toMatchObject([
      {
        name: "hospital-a",
        state: "approved",
        organization: "hospital_a",
        capacity: { gpus: 4, memPerGpuGiB: 24 },
        properties: { irb: "12/26" },
      },
      { name: "hospital-b", missing: ["Approval of the ethics board"] },
    ]);
    expect(await other.call(importProject, { body: { text: exported } })).toMatchObject({
      addedSites: [],
      changedSites: ["hospital-a", "hospital-b"],
    });
  });
});

describeOnAnyDatabase("the project", (kind) => {
  it("gets its CA by freezing, sealed by a passphrase, and is locked then", async () => {
    const { dashboard, admin } = await startFrozenDashboard(kind);
    const { authority, state, frozenBy } = await admin.call(getProject);
    expect([state, frozenBy]).toEqual(["frozen", "A project_admin"]);
    expect(authority).toMatchObject({
      isUnlocked: true,
      isRollingOver: false,
      trustListNumber: 0,
      waiting: { requests: 0, revocations: 0 },
    });
    const { workspace } = dashboard.dashboard.parts.kits.parts;
    expect(await readFile(join(workspace.dir, "cancer/state/ca.json"), "utf8")).toContain("sealed:v1:");
    expect((await readProjectTrust({ workspace: workspace.dir }))?.rootFingerprint).toBe(authority?.rootFingerprint);
    await expect(admin.call(freezeProject, { body: { passphrase: caPassphrase } })).rejects.toMatchObject({
      code: "dashboard/project-frozen",
    });
    await expect(admin.call(updateProject, { body: { name: "other" } })).rejects.toMatchObject({ code: "dashboard/project-frozen" });
    expect(await admin.call(updateProject, { body: { title: "Lungs again", name: "cancer" } })).toMatchObject({ title: "Lungs again" });
  });

  it("asks for the passphrase again after a restart", async () => {
    const { dashboard } = await startFrozenDashboard(kind);
    const again = await dashboard.restart();
    const other = await again.person({ role: "project_admin" });
    expect((await other.call(getProject)).authority).toMatchObject({ isUnlocked: false });
    await expect(other.call(issueServerKit)).rejects.toMatchObject({ code: "dashboard/ca-locked" });
    await expect(other.call(unlockProject, { body: { passphrase: "something else" } })).rejects.toMatchObject({
      code: "project/passphrase-wrong",
    });
    expect((await other.call(unlockProject, { body: { passphrase: caPassphrase } })).authority).toMatchObject({ isUnlocked: true });
    expect((await other.call(lockProject)).authority).toMatchObject({ isUnlocked: false });
  });

  it("does not start with a wrong passphrase, and needs nobody with the right one", async () => {
    const { dashboard } = await startFrozenDashboard(kind);
    await expect(dashboard.restart({ caPassphrase: "another passphrase" })).rejects.toMatchObject({ code: "project/passphrase-wrong" });
    const third = await dashboard.restart({ caPassphrase });
    const last = await third.person({ role: "project_admin" });
    expect(await last.call(getProject)).toMatchObject({ isPassphraseGiven: true, authority: { isUnlocked: true } });
  });

  it("gives the dashboard a kit of its own, and leaves a workspace that flare provision goes on with", async () => {
    const { dashboard, admin } = await startFrozenDashboard(kind);
    const { kits } = dashboard.dashboard.parts;
    const dir = await kits.ownKitFolder();
    const own = await readKit(dir ?? "");
    await verifyKit(own, { now: new Date(dashboard.clock.now()) });
    expect({ name: own.name, role: own.role, org: own.org }).toEqual({
      name: "dashboard@cancer.internal",
      role: "project_admin",
      org: "consortium",
    });
    expect((await stat(own.startup.privateKey)).mode & 0o777).toBe(0o600);
    await admin.call(issueServerKit);
    const { dir: workspace } = kits.parts.workspace;
    const init = {
      projectFile: join(workspace, "project.yml"),
      workspace,
      caKey: { passphrase: caPassphrase },
      now: new Date(dashboard.clock.now()),
    };
    const { prodDir, warnings } = await provision(init);
    expect(warnings.filter(({ message }) => message.includes("unknown"))).toEqual([]);
    const kit = await readKit(join(prodDir, "dashboard@cancer.internal"));
    expect([kit.rootCaPem, kit.certificatePem]).toEqual([own.rootCaPem, own.certificatePem]);
  });

  it("refuses a passphrase that is easy to guess, and stays a draft", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    await admin.call(updateProject, { body: { ...testProject, server: { ...testProject.server, hosts: [] } } });
    await expect(admin.call(freezeProject, { body: { passphrase: "short" } })).rejects.toMatchObject({
      code: "project/passphrase-too-short",
    });
    await expect(admin.call(freezeProject, { body: {} })).rejects.toMatchObject({ code: "dashboard/invalid-request" });
    expect(await admin.call(getProject)).toMatchObject({ state: "draft", authority: null });
  });

  it.each([
    ["a mistake", "api_version: 3\nname: x\nparticipants: []\n", "project/invalid"],
    ["no YAML", "a: [", "project/invalid"],
    ["an included file", "include: /etc/passwd\napi_version: 3\n", "project/not-supported"],
    ["a file of certificates", "api_version: 3\nname: x\ncustom_ca_cert: /etc/ssl/ca.pem\nparticipants: []\n", "project/not-supported"],
    ["a module", "api_version: 3\nname: x\nparticipants: []\nbuilders: [{ path: ./mine.mjs }]\n", "project/not-supported"],
  ])("takes nothing over from a file with %s", async (_, text, code) => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    await expect(admin.call(importProject, { body: { text } })).rejects.toMatchObject({ code });
    expect(await admin.call(getProject)).toMatchObject({ name: "", version: 1 });
  });
});
