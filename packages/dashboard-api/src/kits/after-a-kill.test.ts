import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { downloadKit, issueServerKit, listKits } from "../contract/kits.js";
import { getProject, unlockProject } from "../contract/project.js";
import { issueSiteKit } from "../contract/sites.js";
import { readFrozenProject } from "../project/project-store.js";
import { describeOnAnyDatabase, describeOnEachDatabase } from "../test-dashboard.test-support.js";
import { addSite, caPassphrase, startFrozenDashboard, takeKit } from "./frozen-dashboard.test-support.js";
import { issuingText } from "./project-files.js";

describeOnEachDatabase("a dashboard that was killed", (kind) => {
  it("while it issued a kit: the earlier kit is known to be revoked, and the next one is issued as ever", async () => {
    const { dashboard, admin, orgAdmin } = await startFrozenDashboard(kind);
    const { id } = await addSite({ admin, orgAdmin });
    await orgAdmin.call(issueSiteKit, { params: { id } });
    dashboard.clock.advance(5000);
    // All that was done before the database was to be told.
    const { db, kits } = dashboard.dashboard.parts;
    const { workspace } = kits.parts;
    const projectText = await issuingText(db, await readFrozenProject(db));
    const half = join(workspace.dir, ".temporary-killed");
    await mkdir(half);
    await workspace.issueTo(join(half, "hospital-a"), {
      caKey: kits.parts.passphrase.caKey(),
      projectText,
      name: "hospital-a",
      earlier: "superseded",
    });

    const again = await dashboard.restart({ caPassphrase });
    const other = await again.person({ role: "org_admin" });
    expect((await other.call(listKits)).kits.map(({ condition }) => condition)).toEqual(["revoked"]);
    await expect(stat(half)).rejects.toMatchObject({ code: "ENOENT" });
    expect(again.dashboard.parts.kits.trustLists.current()?.number).toBe(1);
    again.clock.advance(5000);
    const made = await other.call(issueSiteKit, { params: { id } });
    expect((await takeKit(other, made)).name).toBe("hospital-a");
  });

  it("while a kit was downloaded: it can be downloaded again", async () => {
    const { dashboard, admin } = await startFrozenDashboard(kind);
    const { kit } = await admin.call(issueServerKit);
    const { db, now } = dashboard.dashboard.parts;
    await db.updateTable("kits").set({ delivered_at_ms: now(), delivered_to: "somebody" }).where("id", "=", kit.id).execute();
    await expect(admin.call(downloadKit, { params: { id: kit.id } })).rejects.toMatchObject({ code: "dashboard/archive-gone" });
    const again = await dashboard.restart();
    const other = await again.person({ role: "project_admin" });
    expect((await other.call(downloadKit, { params: { id: kit.id } })).status).toBe(200);
  });
});

describeOnAnyDatabase("a dashboard that was killed", (kind) => {
  it("and lost its own kit, gets another as soon as the CA is unlocked; what belongs to no kit goes", async () => {
    const { dashboard } = await startFrozenDashboard(kind);
    const { kits } = dashboard.dashboard.parts;
    const [before, folder] = [await kits.ownKitFolder(), kits.parts.consoleFolder];
    await rm(folder, { recursive: true });
    await mkdir(join(folder, "of a run that was killed"), { recursive: true });
    expect(await kits.ownKitFolder()).toBeUndefined();
    const again = await dashboard.restart();
    const heard: string[] = [];
    again.dashboard.parts.kits.onOwnKit(() => heard.push("another kit"));
    const admin = await again.person({ role: "project_admin" });
    expect((await admin.call(getProject)).authority).toMatchObject({ isUnlocked: false });
    await admin.call(unlockProject, { body: { passphrase: caPassphrase } });
    const after = await again.dashboard.parts.kits.ownKitFolder();
    expect([heard, after === before, after === undefined, (await readdir(folder)).length]).toEqual([["another kit"], false, false, 1]);
    // In the last third of its life it is replaced, at the next start for example.
    again.clock.advance(65 * 24 * 3_600_000);
    const third = await again.restart({ caPassphrase });
    await third.dashboard.parts.tasks.drained();
    expect(await third.dashboard.parts.kits.ownKitFolder()).not.toBe(after);
  });
});
