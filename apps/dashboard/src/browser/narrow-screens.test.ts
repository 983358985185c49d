import { getSession, invite, signUp } from "@flare-ts/dashboard-api/contract";
import type { Browser } from "playwright-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { lackedChromium, openPage, type WatchedPage } from "./chromium.test-support.js";
import { cutOff } from "./cut-off.test-support.js";
import { goTo, openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { StagedFederation, stagedJobs } from "./staged-federation.test-support.js";
import { clientOf, type StagedProject, stageProject } from "./staged-project.test-support.js";
import { goodPassword, type PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const wide = { width: 1360, height: 860 };
/** What is left of a screen of 1280 by 1024 that is magnified four times. */
const magnified = { width: 320, height: 256 };
let browser: Browser;
let dashboard: PageDashboard;
let admin: WatchedPage;
let project: StagedProject;

describe.skipIf(lacked !== "")(`the page on small and magnified screens, and in colours of the system${lacked}`, () => {
  beforeAll(async () => {
    const started = await openSetUpPage({ federation: new StagedFederation({ nowMs: Date.now() }) });
    ({ browser, dashboard, admin } = started);
    project = await stageProject(browser, dashboard, admin);
    return started.stop;
  });

  afterEach(async () => {
    await admin.page.setViewportSize(wide);
  });

  it.each(["/", "/jobs", `/jobs/${stagedJobs.failed}`, "/sites", "/kits", "/people", "/invitations", "/project", "/audit", "/profile"])(
    "cut off nothing, and scroll sideways in tables alone: %s",
    async (path) => {
      const { page } = admin;
      await goTo(page, path);
      for (const width of [1280, 1024, 900, 780, 640, 320]) {
        await page.setViewportSize({ width, height: 700 });
        // Curves are drawn anew a moment later.
        await expect.poll(async () => ({ width, cut: await cutOff(page) })).toEqual({ width, cut: [] });
      }
    },
    60_000,
  );

  it("a table that is too wide can be scrolled by keyboard, and says what it is", async () => {
    const { page } = admin;
    await page.setViewportSize({ width: 780, height: 700 });
    await openAt(page, "/audit");
    const frame = page.getByRole("group", { name: "Audit trail" });
    await frame.focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => frame.evaluate(({ scrollLeft }) => scrollLeft)).toBeGreaterThan(0);
    await page.setViewportSize({ width: 1800, height: 700 });
    await frame.waitFor({ state: "detached" });
  });

  it("one person with a long name pushes the decisions about nobody out of sight", async () => {
    const { page, context } = admin;
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    const { link } = await api.call(invite, { body: { organization: "lake", role: "member", delivery: "link" } });
    const stranger = await openPage(browser, dashboard.running.url);
    const body = { token: new URL(link ?? "").hash.slice(1), name: "N".repeat(100), email: "n@lake.org", password: goodPassword };
    await clientOf(stranger.context, dashboard.running.url).call(signUp, { body });
    await stranger.context.close();
    await openAt(page, "/people");
    for (const button of await page.getByRole("button", { name: "Reject" }).all()) {
      const box = await button.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThan(wide.width - 32);
    }
  });

  it("all choices of a filter are there to be pressed", async () => {
    const { page } = admin;
    await page.setViewportSize({ width: 320, height: 700 });
    await openAt(page, "/jobs");
    const choice = page.getByText("Failed", { exact: true });
    const box = await choice.boundingBox();
    const frame = await page.getByRole("radiogroup", { name: "Which jobs" }).boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((frame?.x ?? 0) + (frame?.width ?? 0));
    await choice.click();
    await page.getByText("density").waitFor();
  });

  it("the drawer with the pages goes away however one leaves the page: by the person's menu, the mark, or the browser's way back", async () => {
    const { page } = admin;
    await page.setViewportSize({ width: 640, height: 400 });
    await openAt(page, "/jobs");
    const drawer = page.getByRole("dialog", { name: "Pages" });
    const open = page.getByRole("button", { name: "Open the navigation" });
    await open.click();
    await drawer.getByRole("button", { name: "Ada Lind" }).click();
    await page.getByRole("menuitem", { name: "Profile" }).click();
    await page.getByRole("heading", { level: 1, name: "Profile" }).waitFor();
    await drawer.waitFor({ state: "hidden" });
    await open.click();
    await drawer.waitFor();
    await page.goBack();
    await drawer.waitFor({ state: "hidden" });
    await open.click();
    await drawer.getByRole("link", { name: "FLARE-TS" }).click();
    await drawer.waitFor({ state: "hidden" });
    expect(admin.offences).toEqual([]);
  });

  it("what a form lacks is brought into sight", async () => {
    const stranger = await openPage(browser, dashboard.running.url, { viewport: magnified });
    const { page } = stranger;
    const { pathname, hash } = new URL(project.links.signUp);
    await page.goto(`${pathname}${hash}`);
    await page.getByLabel("Your name").fill("Eve");
    await page.getByRole("button", { name: "Create my account" }).click();
    await expect.poll(() => page.getByLabel("Password", { exact: true }).evaluate((field) => field === document.activeElement)).toBe(true);
    await stranger.context.close();
  });

  it("what is told by a filled shape is seen in the system's colours as well", async () => {
    const { page } = admin;
    await page.emulateMedia({ forcedColors: "active" });
    const isSeen = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((shape) => getComputedStyle(shape).forcedColorAdjust);
    await openAt(page, `/jobs/${stagedJobs.running}`);
    for (const name of ["lakeside", "riverside"]) {
      const swatch = page.getByRole("button", { name }).first().locator("span").first();
      expect(await swatch.evaluate((shape) => getComputedStyle(shape).forcedColorAdjust)).toBe("none");
    }
    for (const selector of [".mantine-Switch-track", ".mantine-Progress-root"]) expect(await isSeen(selector)).toBe("none");
    await openAt(page, "/jobs");
    expect(await isSeen(".mantine-SegmentedControl-indicator")).toBe("none");
    await page.emulateMedia({ forcedColors: "none" });
  });
});
