import { getSession, lockProject } from "@flare-ts/dashboard-api/contract";
import type { Browser, Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lackedChromium, openPage, takePictures, type WatchedPage } from "./chromium.test-support.js";
import { faultsNow, faultsOf, goTo, openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { StagedFederation, stagedJobs } from "./staged-federation.test-support.js";
import { clientOf, type StagedProject, stageProject } from "./staged-project.test-support.js";
import type { PageDashboard } from "./test-dashboard.test-support.js";

type Who = "admin" | "orgAdmin" | "lead" | "member" | "newcomer";

const lacked = lackedChromium();
let browser: Browser;
let dashboard: PageDashboard;
let admin: WatchedPage;
let project: StagedProject;
let federation: StagedFederation;

/** What each role finds at each address, full of content; what differs by role is there for each. */
const addresses: readonly (readonly [Who, string])[] = [
  ...(["/", "/jobs", "/sites", "/kits", "/people", "/invitations", "/project", "/audit", "/profile"] as const).map(
    (path) => ["admin", path] as const,
  ),
  ...(["/", "/sites", "/kits", "/people", "/project", "/sites/riverside", "/sites/new-wing"] as const).map(
    (path) => ["orgAdmin", path] as const,
  ),
  ...(["/", "/jobs", "/jobs?new", "/sites", "/sites/riverside", "/kits", "/project"] as const).map((path) => ["lead", path] as const),
  ...(["/", "/jobs", `/jobs/${stagedJobs.running}`] as const).map((path) => ["member", path] as const),
  ...Object.values(stagedJobs).map((id) => ["lead", `/jobs/${id}`] as const),
  ["lead", "/jobs/6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7aff"],
  ...(["university-hospital", "lakeside", "mountain-clinic", "new-wing", "old-wing", "nowhere"] as const).map(
    (name) => ["admin", `/sites/${name}`] as const,
  ),
  ["newcomer", "/"],
  ["lead", "/no-such-page"],
];

describe.skipIf(lacked !== "")(`pages with content${lacked}`, () => {
  beforeAll(async () => {
    federation = new StagedFederation({ nowMs: Date.now() });
    const started = await openSetUpPage({ federation });
    ({ browser, dashboard, admin } = started);
    project = await stageProject(browser, dashboard, admin);
    return started.stop;
  });

  const pageOf = (who: Who): Page => (who === "admin" ? admin : project[who]).page;

  it.each(addresses)(
    "have no serious fault for those who cannot see them well, in both themes: %s at %s",
    async (who, path) => {
      const page = pageOf(who);
      expect(await faultsOf(page, path)).toEqual([]);
      if (addresses.find(([, other]) => other === path)?.[0] === who) await takePictures(page, `${who}-${nameOf(path)}`);
    },
    60_000,
  );

  it.each([
    ["admin", `/jobs/${stagedJobs.running}`, "Abort"],
    ["admin", `/jobs/${stagedJobs.completed}`, "Delete"],
    ["admin", "/people", "More for Dan Okafor"],
    ["admin", "/sites/riverside", "Revoke"],
    ["admin", "/sites/riverside", "Link for an operator"],
    ["admin", "/profile", "Turn on"],
    ["admin", "/audit", "Export"],
  ] as const)(
    "so have their dialogs and menus, and give the focus back on Escape: %s at %s, %s",
    async (who, path, name) => {
      const page = pageOf(who);
      await goTo(page, path);
      const button = await page.getByRole("button", { name, exact: true }).first().elementHandle();
      if (button === null) throw new Error(`there is no button ${name}`);
      await button.focus();
      await page.keyboard.press("Enter");
      const opened = page.getByRole("dialog").or(page.getByRole("menu")).first();
      await opened.waitFor();
      await expect.poll(() => opened.evaluate((element) => element.contains(document.activeElement))).toBe(true);
      expect(await faultsNow(page)).toEqual([]);
      await takePictures(page, `dialog-${nameOf(path)}-${nameOf(name)}`);
      await page.keyboard.press("Escape");
      await opened.waitFor({ state: "hidden" });
      await expect.poll(() => button.evaluate((element) => element === document.activeElement)).toBe(true);
    },
    60_000,
  );

  it.each(["signUp", "kit"] as const)("so have the pages of links that are good: %s", async (kind) => {
    const stranger = await openPage(browser, dashboard.running.url);
    const { pathname, hash } = new URL(project.links[kind]);
    expect(await faultsOf(stranger.page, `${pathname}${hash}`)).toEqual([]);
    await takePictures(stranger.page, `link-${kind}`);
    await stranger.context.close();
  });

  it.each(["/project", "/kits", "/sites/lakeside"])("so have pages of a project whose CA is locked, and they say so: %s", async (path) => {
    const api = clientOf(admin.context, dashboard.running.url);
    await api.call(getSession);
    await api.call(lockProject);
    await openAt(admin.page, path);
    expect(await faultsNow(admin.page)).toEqual([]);
    expect(await admin.page.getByRole("main").textContent()).toMatch(/locked/);
    await takePictures(admin.page, `locked-${nameOf(path)}`);
  });

  it.each(["/", "/jobs", `/jobs/${stagedJobs.running}`, "/sites"])("so have pages while the server cannot be reached: %s", async (path) => {
    const reason = "The server at server.example.org:8002 does not answer. Look whether it runs, and whether the port is open.";
    federation.tell({ kind: "link", link: { isConnected: false, sinceMs: Date.now() - 90_000, reason } });
    await openAt(project.lead.page, path);
    expect(await faultsNow(project.lead.page)).toEqual([]);
    await takePictures(project.lead.page, `unreached-${nameOf(path)}`);
  });

  it("break no rule of the policy, and ask no other site for anything", () => {
    const all = [admin, project.orgAdmin, project.lead, project.member, project.newcomer];
    expect(all.flatMap(({ offences }) => offences)).toEqual([]);
  });
});

function nameOf(path: string): string {
  const known = Object.entries(stagedJobs).find(([, id]) => path.includes(id))?.[0];
  return known === undefined ? path.replaceAll(/\W+/g, "-").replaceAll(/^-|-$/g, "") || "overview" : `job-${known}`;
}
