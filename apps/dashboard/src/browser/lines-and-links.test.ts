import { getMe, getSession, invite, listPeople, updatePerson } from "@flare-ts/dashboard-api/contract";
import type { Browser } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lackedChromium, openPage, type WatchedPage } from "./chromium.test-support.js";
import { openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { StagedFederation, stagedJobs } from "./staged-federation.test-support.js";
import { clientOf, type StagedProject, stageProject } from "./staged-project.test-support.js";
import type { PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const soon = { timeout: 20_000 };
let browser: Browser;
let dashboard: PageDashboard;
let admin: WatchedPage;
let project: StagedProject;

describe.skipIf(lacked !== "")(`lines that are cut, and links that lead elsewhere${lacked}`, () => {
  beforeAll(async () => {
    const started = await openSetUpPage({ federation: new StagedFederation({ nowMs: Date.now() }) });
    ({ browser, dashboard, admin } = started);
    project = await stageProject(browser, dashboard, admin);
    return started.stop;
  });

  it("a browser that takes itself for offline says at once that nothing was saved, and saves it no later on its own", async () => {
    const { page, context, api } = project.lead;
    await openAt(page, "/profile");
    await page.getByLabel("Name").fill("Dan Elsewhere");
    const asked: string[] = [];
    page.on("request", (request) => request.method() === "PATCH" && asked.push(request.url()));
    await context.setOffline(true);
    const you = page.getByRole("region", { name: "You" });
    await you.getByRole("button", { name: "Save" }).click();
    await you.getByRole("alert").getByText("The dashboard cannot be reached").waitFor();
    const before = asked.length;
    await context.setOffline(false);
    // What the page asks for anew, now that there is a line again, comes after what it would have sent.
    await page.waitForResponse((response) => response.url().includes("/api/v1/"), { timeout: 5000 }).catch(() => null);
    expect(asked.length).toBe(before);
    expect((await api.call(getMe)).name).toBe("Dan Okafor");
    expect(await page.getByLabel("Name").inputValue()).toBe("Dan Elsewhere");
  });

  it("a page that is opened while the browser takes itself for offline is shown where the dashboard answers all the same", async () => {
    const { context } = await openPage(browser, dashboard.running.url, { storageState: await project.lead.context.storageState() });
    await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "onLine", { get: () => false }));
    const page = await context.newPage();
    await page.goto("/jobs");
    await page.evaluate(() => globalThis.dispatchEvent(new Event("offline")));
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Kits" }).click();
    await page.getByRole("region", { name: "Your console" }).waitFor();
    expect(await page.getByLabel("Loading").count()).toBe(0);
    await context.close();
  });

  it("what fails after its dialog was closed is told all the same", async () => {
    const { page } = admin;
    await openAt(page, "/people");
    let refuse = (): void => {};
    await page.route("**/api/v1/people/*", async (route) => {
      await new Promise<void>((resolve) => {
        refuse = resolve;
      });
      await route.fulfill({
        status: 409,
        json: { error: { code: "dashboard/conflict", message: "No admin would be left.", todo: "Ask." } },
      });
    });
    await page.getByRole("button", { name: "More for Mia Santos" }).click();
    await page.getByRole("menuitem", { name: "Edit role and organisation" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit Mia Santos" });
    await dialog.getByLabel("Name").fill("Mia S.");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await dialog.waitFor({ state: "detached" });
    refuse();
    await page.getByRole("alert").getByText("No admin would be left.").waitFor();
    await page.unroute("**/api/v1/people/*");
    expect(admin.offences).toEqual([]);
  });

  it("another link in the same window is the one that counts", async () => {
    const { page, context } = await openPage(browser, dashboard.running.url);
    const api = clientOf(admin.context, dashboard.running.url);
    await api.call(getSession);
    const { link } = await api.call(invite, { body: { organization: "north", role: "lead", delivery: "link" } });
    const [earlier, later] = [new URL(project.links.signUp), new URL(link ?? "")];
    await page.goto(`${earlier.pathname}${earlier.hash.slice(0, -5)}`);
    await page.getByRole("heading", { name: "This link is not whole" }).waitFor();
    await page.goto(`${earlier.pathname}${earlier.hash}`);
    await page.getByText("alps", { exact: true }).waitFor();
    await page.getByLabel("Your name").fill("Eve");
    await page.goto(`${later.pathname}${later.hash}`);
    await page.getByText("north", { exact: true }).waitFor();
    expect(await page.getByLabel("E-mail address").inputValue()).toBe("");
    await context.close();
  });

  it("a site that comes by way of a relay says so, and is found by it", async () => {
    const { page } = admin;
    await openAt(page, "/sites");
    await page.getByLabel("Search sites").pressSequentially("Relay-");
    const rows = page.getByRole("table", { name: "Sites" }).getByRole("row");
    await expect.poll(() => rows.count(), soon).toBe(2);
    await page.getByRole("link", { name: "mountain-clinic" }).click();
    await page.getByRole("region", { name: "At work" }).getByText("the relay relay-alps").waitFor();
    await page.getByRole("region", { name: "At work" }).getByText("public, private (default)").waitFor();
    await page.getByRole("main").getByRole("link", { name: "Sites" }).click();
    await expect.poll(() => rows.count(), soon).toBe(2);
    await page.getByLabel("Search sites").fill("nowhere");
    await page.getByText("No such site").waitFor();
  });

  it.each(["/sign-up", "/set-up", "/reset-password", "/kit-link"])("a link that was cut says so at once, and once: %s", async (path) => {
    const { page, context } = await openPage(browser, dashboard.running.url);
    await page.goto(`${path}#${"a".repeat(42)}`);
    await page.getByRole("heading", { level: 1, name: "This link is not whole" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(1);
    expect(await page.getByRole("button", { name: /Try again|Create|Set/ }).count()).toBe(0);
    await context.close();
  });

  it("whoever waits for approval is let in without a hand", async () => {
    const { page } = project.newcomer;
    await page.goto("/sites");
    await page.getByRole("heading", { level: 1, name: "Almost there" }).waitFor();
    const api = clientOf(admin.context, dashboard.running.url);
    await api.call(getSession);
    const { people } = await api.call(listPeople);
    const id = people.find(({ email }) => email === "noor@lake.org")?.id ?? "";
    await api.call(updatePerson, { params: { id }, body: { decision: "approve" } });
    await page.getByRole("heading", { level: 1, name: "Sites" }).waitFor(soon);
    expect(new URL(page.url()).pathname).toBe("/sites");
  }, 40_000);

  it("nobody is asked to fill in what their role may not send", async () => {
    const { page } = project.member;
    for (const path of ["/jobs?new", "/sites?new", "/invitations?new"]) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForFunction(() => document.querySelector('[aria-busy="true"], [aria-label="Loading"]') === null);
      expect(await page.getByRole("dialog").count()).toBe(0);
    }
    await openAt(page, `/jobs/${stagedJobs.completed}`);
    await page.getByRole("region", { name: "Receipts" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  it("the command that unpacks a kit names its file, also once that was downloaded", async () => {
    const { page } = project.orgAdmin;
    await openAt(page, "/kits");
    await page.getByRole("region", { name: "Your console" }).getByRole("button", { name: "Issue kit" }).click();
    const dialog = page.getByRole("dialog", { name: "The kit of bo@north.org" });
    const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("link", { name: "Download" }).click()]);
    await dialog.getByText("The archive was handed out.").waitFor(soon);
    await dialog.getByText("7z x bo@north.org.zip").waitFor();
    expect(download.suggestedFilename()).toBe("bo@north.org.zip");
  });
});
