import { freePort, startServer, startSite } from "@flare-ts/runtime";
import { connectAdmin } from "@flare-ts/runtime/admin";
import { afterEach, expect, it } from "vitest";
import { issueMyKit, issueServerKit } from "../contract/kits.js";
import { getProject, updateProject } from "../contract/project.js";
import { issueSiteKit, revokeSite } from "../contract/sites.js";
import { describeOnAnyDatabase, startTestDashboard } from "../test-dashboard.test-support.js";
import { addSite, freeze, SiteMachine, takeKit, testProject } from "./frozen-dashboard.test-support.js";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one.stop();
});

describeOnAnyDatabase("kits that were downloaded", (kind) => {
  it("start a server and sites that find each other, and a revocation cuts one off", async () => {
    const dashboard = await startTestDashboard(kind, {}, { now: Date.now });
    const admin = await dashboard.person({ role: "project_admin", organization: "consortium" });
    const orgAdmin = await dashboard.person({ role: "org_admin" });
    await admin.call(updateProject, {
      body: { ...testProject, server: { ...testProject.server, port: await freePort(), hosts: ["127.0.0.1"] } },
    });
    await freeze(dashboard, admin);
    const [made, requested] = [await addSite({ admin, orgAdmin }), await addSite({ admin, orgAdmin }, "hospital-r")];
    const machine = new SiteMachine(Date.now());
    await machine.upload(orgAdmin, requested);
    const { authority } = await admin.call(getProject);
    const serverKit = await takeKit(admin, await admin.call(issueServerKit));
    const sites = [
      await takeKit(orgAdmin, await orgAdmin.call(issueSiteKit, { params: { id: made.id } })),
      await machine.makeKit(orgAdmin, requested.id, authority?.rootFingerprint ?? ""),
    ];
    running.push(await startServer({ kitDir: serverKit.dir, host: "127.0.0.1" }));
    for (const { dir } of sites) running.push(await startSite({ kitDir: dir }));

    const { kits } = dashboard.dashboard.parts;
    const own = await connectAdmin({ kitDir: (await kits.ownKitFolder()) ?? "" });
    running.push({ stop: async () => own.close() });
    const console = await connectAdmin({ kitDir: (await takeKit(orgAdmin, await orgAdmin.call(issueMyKit))).dir });
    running.push({ stop: async () => console.close() });
    for (const session of [own, console]) {
      expect((await session.status()).sites.map(({ name, org, state }) => `${name} ${org} ${state}`).toSorted()).toEqual([
        "hospital-a hospital_a connected",
        "hospital-r hospital_a connected",
      ]);
    }

    const pushed = new Promise<string>((resolve) => kits.trustLists.subscribe(({ text }) => resolve(text)));
    await orgAdmin.call(revokeSite, { params: { id: requested.id }, body: { reason: "keyCompromise" } });
    await own.updateTrust(await pushed);
    await expect
      .poll(async () => (await own.status()).sites.find(({ name }) => name === "hospital-r")?.state, { timeout: 20_000 })
      .toBe("disconnected");
    expect((await own.status()).sites.find(({ name }) => name === "hospital-a")?.state).toBe("connected");
  });
});
