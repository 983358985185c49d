import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyKit } from "@flare-ts/provision/kit";
import { expect, it } from "vitest";
import {
  downloadKit,
  getMyConsole,
  getMyParticipantFile,
  issueMyKit,
  listKits,
  uploadMyRequest,
  withdrawMyRequest,
} from "../contract/kits.js";
import { updatePerson } from "../contract/people.js";
import { exportProject, getProject, unlockProject, updateProject } from "../contract/project.js";
import { describeOnAnyDatabase, describeOnEachDatabase, startTestDashboard, type TestPerson } from "../test-dashboard.test-support.js";
import { caPassphrase, freeze, SiteMachine, startFrozenDashboard, testProject } from "./frozen-dashboard.test-support.js";

const fileOf = async (person: TestPerson): Promise<string> => (await person.call(getMyParticipantFile)).text();

describeOnEachDatabase("the certificate request of a person", (kind) => {
  it("waits for freezing and for the CA, and can be withdrawn meanwhile", async () => {
    const dashboard = await startTestDashboard(kind);
    const admin = await dashboard.person({ role: "project_admin" });
    const lead = await dashboard.person({ role: "lead", email: "lead@example.org" });
    await expect(fileOf(lead)).rejects.toMatchObject({ code: "dashboard/conflict" });
    await admin.call(updateProject, { body: { ...testProject, server: { ...testProject.server, hosts: [] } } });
    const body = await new SiteMachine(dashboard.clock.now()).requestBy(await fileOf(lead));
    expect((await lead.call(uploadMyRequest, { body })).request).toMatchObject({ waitsFor: "freeze", problem: null });
    expect((await lead.call(withdrawMyRequest)).request).toBeNull();
    await lead.call(uploadMyRequest, { body });
    await freeze(dashboard, admin);
    expect(await lead.call(getMyConsole)).toMatchObject({ request: null, kit: { condition: "good" } });

    const again = await dashboard.restart();
    const [boss, other] = [await again.person({ role: "project_admin" }), await again.person({ role: "member" })];
    const another = await new SiteMachine(again.clock.now()).requestBy(await fileOf(other));
    expect((await other.call(uploadMyRequest, { body: another })).request).toMatchObject({ waitsFor: "unlock" });
    expect((await boss.call(getProject)).authority?.waiting).toEqual({ requests: 1, revocations: 0 });
    await boss.call(unlockProject, { body: { passphrase: caPassphrase } });
    expect(await other.call(getMyConsole)).toMatchObject({ request: null, kit: { source: "requested" } });
  });

  it("revokes a kit that was made here before; whoever keeps the key is not in the command line's project file", async () => {
    const { dashboard, admin } = await startFrozenDashboard(kind);
    const lead = await dashboard.person({ role: "lead", email: "lead@example.org" });
    await lead.call(issueMyKit);
    dashboard.clock.advance(5000);
    await lead.call(uploadMyRequest, { body: await new SiteMachine(dashboard.clock.now()).requestBy(await fileOf(lead)) });
    expect((await lead.call(listKits)).kits.map(({ source, condition }) => `${source} ${condition}`)).toEqual([
      "requested good",
      "made revoked",
    ]);
    const text = await readFile(join(dashboard.dashboard.parts.kits.parts.workspace.dir, "project.yml"), "utf8");
    expect(text).toContain("keep their own keys are not listed here: lead@example.org");
    expect(text).not.toContain("name: lead@example.org");
    expect(await (await admin.call(exportProject)).text()).toContain("name: lead@example.org");
  });
});

describeOnAnyDatabase("the certificate request of a person", (kind) => {
  it("becomes a console kit whose private key never left the person's machine", async () => {
    const { dashboard, admin } = await startFrozenDashboard(kind);
    const { authority } = await admin.call(getProject);
    for (const role of ["lead", "member", "org_admin"] as const) {
      const person = await dashboard.person({ role, organization: "hospital_a" });
      expect(await person.call(getMyConsole)).toEqual({ request: null, kit: null });
      const machine = new SiteMachine(dashboard.clock.now());
      const body = await machine.requestBy(await fileOf(person));
      const { request, kit: answered } = await person.call(uploadMyRequest, { body });
      expect(request).toBeNull();
      expect(answered).toMatchObject({ kind: "console", role, source: "requested", condition: "good", archive: { isSecret: false } });
      const response = await person.call(downloadKit, { params: { id: answered?.id ?? "" } });
      const kit = await machine.makeKitOf(new Uint8Array(await response.arrayBuffer()), authority?.rootFingerprint ?? "");
      await verifyKit(kit, { now: new Date(dashboard.clock.now()) });
      expect({ name: kit.name, org: kit.org, type: kit.type }).toEqual({ name: person.email, org: "hospital_a", type: "admin" });
    }
  });

  it("is refused for another name, organisation or role, for a site, and for a project admin", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const lead = await dashboard.person({ role: "lead", email: "lead@example.org" });
    const file = await fileOf(lead);
    for (const [from, to] of [
      ["lead@example.org", "other@example.org"],
      ["hospital_a", "hospital_b"],
      ["role: lead", "role: org_admin"],
      ["name: cancer", "name: other"],
    ] as const) {
      const body = await new SiteMachine(dashboard.clock.now()).requestBy(file.replace(from, to));
      await expect(lead.call(uploadMyRequest, { body })).rejects.toMatchObject({ code: "request/mismatch" });
    }
    const own = await new SiteMachine(dashboard.clock.now()).requestBy(file);
    await expect(orgAdmin.call(uploadMyRequest, { body: own })).rejects.toMatchObject({ code: "request/mismatch" });
    await expect(fileOf(admin)).rejects.toMatchObject({ code: "dashboard/conflict" });
    await expect(admin.call(uploadMyRequest, { body: own })).rejects.toMatchObject({ code: "dashboard/conflict" });
    expect((await lead.call(getMyConsole)).request).toBeNull();
  });

  it("is not answered when the role has changed while it waited, and the kit of another role is revoked", async () => {
    const { dashboard, admin } = await startFrozenDashboard(kind);
    const lead = await dashboard.person({ role: "lead" });
    const body = await new SiteMachine(dashboard.clock.now()).requestBy(await fileOf(lead));
    await lead.call(uploadMyRequest, { body });
    dashboard.clock.advance(5000);
    await admin.call(updatePerson, { params: { id: lead.id }, body: { role: "member" } });
    await dashboard.dashboard.parts.tasks.drained();
    const mine = async (): Promise<unknown> => (await lead.call(listKits)).kits.map(({ condition }) => condition);
    expect(await mine()).toEqual(["revoked"]);
    const again = await dashboard.restart();
    const [boss, other] = [await again.person({ role: "project_admin" }), await again.person({ role: "lead" })];
    const waiting = await new SiteMachine(again.clock.now()).requestBy(await fileOf(other));
    await other.call(uploadMyRequest, { body: waiting });
    await boss.call(updatePerson, { params: { id: other.id }, body: { role: "member" } });
    await boss.call(unlockProject, { body: { passphrase: caPassphrase } });
    expect((await other.call(getMyConsole)).request).toMatchObject({ problem: expect.stringContaining("role lead") });
  });
});
