import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { revokeParticipant } from "@flare-ts/provision";
import { ProjectTrust, verifyKit } from "@flare-ts/provision/kit";
import { expect, it, onTestFinished, vi } from "vitest";
import {
  createKitLink,
  downloadKit,
  issueMyKit,
  issueServerKit,
  listKits,
  readKitLink,
  revokeKit,
  revokeKitLink,
  useKitLink,
} from "../contract/kits.js";
import { updatePerson } from "../contract/people.js";
import { getProject, rotateProject, unlockProject } from "../contract/project.js";
import { createSite, decideSite, getSite, issueSiteKit, removeSite, revokeSite } from "../contract/sites.js";
import { describeOnAnyDatabase, describeOnEachDatabase } from "../test-dashboard.test-support.js";
import { addSite, caPassphrase, openKit, SiteMachine, startFrozenDashboard, takeKit } from "./frozen-dashboard.test-support.js";

const hourMs = 60 * 60_000;

describeOnEachDatabase("a kit", (kind) => {
  it("is issued once to the server, a site and a person, good and with the right role", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const site = await addSite({ admin, orgAdmin });
    const lead = await dashboard.person({ role: "lead", email: "lead@example.org" });
    const made = [
      [admin, await admin.call(issueServerKit), "server"],
      [orgAdmin, await orgAdmin.call(issueSiteKit, { params: { id: site.id } }), "client"],
      [lead, await lead.call(issueMyKit), "lead"],
      [orgAdmin, await orgAdmin.call(issueMyKit), "org_admin"],
    ] as const;
    for (const [person, answer, role] of made) {
      const kit = await takeKit(person, answer);
      await verifyKit(kit, { now: new Date(dashboard.clock.now()) });
      expect([kit.role, kit.name, kit.endpoint.host, kit.endpoint.port]).toEqual([role, answer.kit.participant, "localhost", 8002]);
    }
    expect(JSON.parse(await readFile(join((await takeAgain()).dir, "local/resources.json.default"), "utf8"))).toMatchObject({
      components: [{ args: { num_of_gpus: 2, mem_per_gpu_in_GiB: 16 } }],
    });
    expect((await lead.call(listKits)).kits.map(({ participant }) => participant)).toEqual(["lead@example.org"]);
    expect((await admin.call(listKits)).kits.map(({ kind: one }) => one).sort()).toEqual([
      "console",
      "console",
      "dashboard",
      "server",
      "site",
      "site",
    ]);

    async function takeAgain() {
      dashboard.clock.advance(5000);
      return await takeKit(orgAdmin, await orgAdmin.call(issueSiteKit, { params: { id: site.id } }));
    }
  });

  it("goes to an operator by a link that works once and ends", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    const made = await orgAdmin.call(issueSiteKit, { params: { id } });
    const params = { id: made.kit.id };
    const linkOf = async (): Promise<string> => (await orgAdmin.call(createKitLink, { params, body: {} })).link;
    const tokenOf = (link: string): string => link.split("#")[1] ?? "";
    const operator = dashboard.stranger();
    const [replaced, withdrawn] = [tokenOf(await linkOf()), tokenOf(await linkOf())];
    await orgAdmin.call(revokeKitLink, { params });
    const late = tokenOf(await linkOf());
    const refused = async (token: string): Promise<void> => {
      for (const route of [readKitLink, useKitLink] as const) {
        await expect(operator.call(route, { body: { token } })).rejects.toMatchObject({ code: "dashboard/link-unusable" });
      }
    };
    dashboard.clock.advance(73 * hourMs);
    for (const token of [replaced, withdrawn, late, "A".repeat(43)]) await refused(token);
    // The session has ended meanwhile.
    const next = await dashboard.person({ role: "org_admin" });
    const { link } = await next.call(createKitLink, { params, body: {} });
    const token = tokenOf(link);
    const { authority } = await next.call(getProject);
    for (let look = 0; look < 2; look++) {
      expect(await operator.call(readKitLink, { body: { token } })).toMatchObject({
        project: "cancer",
        participant: "hospital-a",
        fileName: "hospital-a.zip",
        rootFingerprint: authority?.rootFingerprint,
      });
    }
    const answers = await Promise.allSettled([1, 2, 3].map(() => operator.call(useKitLink, { body: { token } })));
    const [taken, ...others] = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    expect(others).toEqual([]);
    const kit = await openKit(new Uint8Array((await taken?.arrayBuffer()) ?? new ArrayBuffer(0)), "hospital-a", made.passphrase);
    await verifyKit(kit, { now: new Date(dashboard.clock.now()) });
    await refused(token);
    await expect(next.call(createKitLink, { params, body: {} })).rejects.toMatchObject({ code: "dashboard/archive-gone" });
  });

  it("that nobody came for in a week is gone", async () => {
    const { dashboard, admin } = await startFrozenDashboard(kind);
    const { kit } = await admin.call(issueServerKit);
    dashboard.clock.advance(8 * 24 * hourMs);
    const again = await dashboard.restart();
    await again.dashboard.parts.tasks.drained();
    const other = await again.person({ role: "project_admin" });
    await expect(other.call(downloadKit, { params: { id: kit.id } })).rejects.toMatchObject({ code: "dashboard/archive-gone" });
    expect(await again.dashboard.parts.db.selectFrom("kit_archives").selectAll().execute()).toEqual([]);
  });

  it("is revoked at once, or as soon as the CA is unlocked, and stays revoked", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    await orgAdmin.call(issueSiteKit, { params: { id } });
    await expect(orgAdmin.call(removeSite, { params: { id } })).rejects.toMatchObject({ code: "dashboard/conflict" });
    dashboard.clock.advance(5000);
    const revoked = await orgAdmin.call(revokeSite, { params: { id }, body: { reason: "keyCompromise" } });
    expect(revoked.kit).toMatchObject({ condition: "revoked", archive: null, revocation: { reason: "keyCompromise", by: "A org_admin" } });
    const server = await admin.call(issueServerKit);
    const again = await dashboard.restart();
    const boss = await again.person({ role: "project_admin" });
    again.clock.advance(5000);
    const asked = await boss.call(revokeKit, { params: { id: server.kit.id }, body: { reason: "cessationOfOperation" } });
    expect(asked).toMatchObject({ condition: "revoking" });
    expect((await boss.call(getProject)).authority?.waiting).toEqual({ requests: 0, revocations: 1 });
    const { authority } = await boss.call(unlockProject, { body: { passphrase: caPassphrase } });
    expect([authority?.trustListNumber, authority?.waiting.revocations]).toEqual([2, 0]);
    expect(again.dashboard.parts.kits.trustLists.current()?.number).toBe(2);
    expect((await boss.call(listKits)).kits.find((kit) => kit.id === server.kit.id)).toMatchObject({ condition: "revoked" });
    await boss.call(removeSite, { params: { id } });
  });

  it("of a person whose role changes, who is shut out, or of a site that is rejected, is revoked", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    await orgAdmin.call(issueSiteKit, { params: { id } });
    const [lead, member] = [await dashboard.person({ role: "lead" }), await dashboard.person({ role: "member" })];
    await lead.call(issueMyKit);
    await member.call(issueMyKit);
    dashboard.clock.advance(5000);
    await admin.call(updatePerson, { params: { id: lead.id }, body: { role: "member" } });
    await admin.call(updatePerson, { params: { id: member.id }, body: { decision: "disable" } });
    await admin.call(decideSite, { params: { id }, body: { decision: "reject", note: "left" } });
    await dashboard.dashboard.parts.tasks.drained();
    const { kits } = await admin.call(listKits);
    const reasons = kits
      .filter(({ kind: one }) => one !== "dashboard")
      .map(({ participant, condition, revocation }) => [participant, condition, revocation?.reason]);
    expect(new Set(reasons.map((reason) => reason.join(" ")))).toEqual(
      new Set([
        `${lead.email} revoked affiliationChanged`,
        `${member.email} revoked privilegeWithdrawn`,
        "hospital-a revoked privilegeWithdrawn",
      ]),
    );
    dashboard.clock.advance(5000);
    expect((await lead.call(issueMyKit)).kit).toMatchObject({ role: "member", condition: "good" });
    await expect(orgAdmin.call(issueSiteKit, { params: { id } })).rejects.toMatchObject({ code: "dashboard/conflict" });
  });

  it("cannot be kept from everybody by a name that no project may have, nor taken for the dashboard's own", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await orgAdmin.call(createSite, { body: { name: "nvflare_compose" } });
    await expect(admin.call(decideSite, { params: { id }, body: { decision: "approve" } })).rejects.toMatchObject({
      code: "project/invalid",
    });
    const impostor = await dashboard.person({ role: "lead", email: "dashboard@cancer.internal" });
    await expect(impostor.call(issueMyKit)).rejects.toMatchObject({ code: "dashboard/conflict" });
    for (const name of ["LOCALHOST", "localhost"]) {
      await expect(orgAdmin.call(createSite, { body: { name } })).rejects.toMatchObject({ code: "dashboard/conflict" });
    }
    expect((await admin.call(issueServerKit)).kit.condition).toBe("good");
  });
});

describeOnAnyDatabase("a kit", (kind) => {
  it("is downloaded once; issued again, the earlier one is revoked and the new list passed on", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { trustLists } = dashboard.dashboard.parts.kits;
    const heard: number[] = [];
    trustLists.subscribe(({ number }) => heard.push(number));
    const { id } = await addSite({ admin, orgAdmin });
    const first = await orgAdmin.call(issueSiteKit, { params: { id } });
    const before = await takeKit(orgAdmin, first);
    await expect(orgAdmin.call(downloadKit, { params: { id: first.kit.id } })).rejects.toMatchObject({ code: "dashboard/archive-gone" });
    expect((await orgAdmin.call(getSite, { params: { id } })).kit).toMatchObject({ archive: null, delivery: { to: "A org_admin" } });
    dashboard.clock.advance(5000);
    const second = await orgAdmin.call(issueSiteKit, { params: { id } });
    const after = await takeKit(orgAdmin, second);
    expect([first.passphrase === second.passphrase, before.privateKeyPem === after.privateKeyPem, heard]).toEqual([false, false, [1]]);
    const trust = ProjectTrust.from({ project: "cancer", rootCaPem: after.rootCaPem });
    trust.accept(trustLists.current()?.text ?? "");
    const now = new Date(dashboard.clock.now() + 5000);
    await expect(verifyKit(before, { trust, now })).rejects.toMatchObject({ code: "kit/revoked" });
    await verifyKit(after, { trust, now });
    expect((await orgAdmin.call(listKits)).kits.map(({ condition, revocation }) => [condition, revocation?.reason])).toEqual([
      ["good", undefined],
      ["revoked", "superseded"],
    ]);
  });

  it("that flare cert revoke took back in the workspace is shown as revoked", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    await orgAdmin.call(issueSiteKit, { params: { id } });
    const { dir: workspace } = dashboard.dashboard.parts.kits.parts.workspace;
    const now = new Date(dashboard.clock.now() + 5000);
    await revokeParticipant({ workspace, name: "hospital-a", reason: "keyCompromise", caKey: { passphrase: caPassphrase }, now });
    expect(dashboard.dashboard.parts.kits.trustLists.current()).toBeUndefined();
    expect((await orgAdmin.call(listKits)).kits).toMatchObject([
      { condition: "revoked", revocation: { reason: "keyCompromise", by: "flare cert revoke" } },
    ]);
    expect(dashboard.dashboard.parts.kits.trustLists.current()?.number).toBe(1);
  });

  it("that flare cert revoke took back is taken back at the server too, with nobody at the page", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    await addSite({ admin, orgAdmin });
    const { workspace, trustLists, tasks } = dashboard.dashboard.parts.kits.parts;
    const now = new Date(dashboard.clock.now() + 5000);
    const caKey = { passphrase: caPassphrase };
    await revokeParticipant({ workspace: workspace.dir, name: "hospital-a", reason: "keyCompromise", caKey, now, isForced: true });
    expect(trustLists.current()).toBeUndefined();
    vi.advanceTimersByTime(10_000);
    await tasks.drained();
    expect(trustLists.current()?.number).toBe(1);
  });

  it("is replaced without being revoked while one root takes over from another", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const [made, requested] = [await addSite({ admin, orgAdmin }), await addSite({ admin, orgAdmin }, "hospital-r")];
    await orgAdmin.call(issueSiteKit, { params: { id: made.id } });
    const machine = new SiteMachine(dashboard.clock.now());
    await machine.upload(orgAdmin, requested);
    const before = await admin.call(getProject);
    dashboard.clock.advance(5000);
    const started = await admin.call(rotateProject, { body: { step: "start" } });
    expect([started.behind, started.project.authority?.isRollingOver]).toEqual([["hospital-a", "hospital-r"], true]);
    expect(started.project.authority?.rootFingerprint).not.toBe(before.authority?.rootFingerprint);
    await expect(admin.call(rotateProject, { body: { step: "finish" } })).rejects.toMatchObject({ code: "project/rollover-not-done" });
    dashboard.clock.advance(5000);
    await orgAdmin.call(issueSiteKit, { params: { id: made.id } });
    await new SiteMachine(dashboard.clock.now()).upload(orgAdmin, requested);
    const { kits } = await orgAdmin.call(listKits);
    expect(kits.map(({ condition, isBelowFormerRoot }) => `${condition} ${isBelowFormerRoot}`).toSorted()).toEqual([
      "good false",
      "good false",
      "replaced true",
      "replaced true",
    ]);
    const finished = await admin.call(rotateProject, { body: { step: "finish" } });
    expect([finished.behind, finished.project.authority?.isRollingOver]).toEqual([[], false]);
  });

  it("is nobody else's: other organisations and roles see none of it", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    const site = await orgAdmin.call(issueSiteKit, { params: { id } });
    const lead = await dashboard.person({ role: "lead" });
    const mine = await lead.call(issueMyKit);
    const server = await admin.call(issueServerKit);
    const stranger = await dashboard.person({ role: "org_admin", organization: "hospital_b" });
    const member = await dashboard.person({ role: "member" });
    for (const person of [stranger, member]) {
      for (const { kit } of [site, mine, server]) {
        const params = { id: kit.id };
        for (const call of [
          () => person.call(downloadKit, { params }),
          () => person.call(createKitLink, { params, body: {} }),
          () => person.call(revokeKit, { params, body: { reason: "unspecified" } }),
          () => person.call(revokeKitLink, { params }),
        ]) {
          await expect(call()).rejects.toMatchObject({ code: "dashboard/not-found" });
        }
      }
      expect((await person.call(listKits)).kits).toEqual([]);
    }
    await expect(admin.call(downloadKit, { params: { id: mine.kit.id } })).rejects.toMatchObject({ code: "dashboard/not-allowed" });
    await expect(stranger.call(issueSiteKit, { params: { id } })).rejects.toMatchObject({ code: "dashboard/not-found" });
    await expect(lead.call(issueServerKit)).rejects.toMatchObject({ code: "dashboard/not-allowed" });
    await expect(stranger.call(createSite, { body: { name: "x", organization: "hospital_a" } })).rejects.toMatchObject({
      code: "dashboard/not-allowed",
    });
  });
});
