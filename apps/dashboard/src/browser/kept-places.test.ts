import { createSite, getSession, listInvitations } from "@flare-ts/dashboard-api/contract";
import type { Browser, Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lackedChromium, openPage, takePictures, type WatchedPage } from "./chromium.test-support.js";
import { openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { StagedFederation } from "./staged-federation.test-support.js";
import { clientOf, stageProject } from "./staged-project.test-support.js";
import type { PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const soon = { timeout: 20_000 };
let browser: Browser;
let dashboard: PageDashboard;
let admin: WatchedPage;

describe.skipIf(lacked !== "")(`what one was at, and waits for${lacked}`, () => {
  beforeAll(async () => {
    const started = await openSetUpPage({ federation: new StagedFederation({ nowMs: Date.now() }) });
    ({ browser, dashboard, admin } = started);
    await stageProject(browser, dashboard, admin);
    return started.stop;
  });

  const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? "");

  it("a button that has done its work leaves the focus in its row, and on the page where the list is empty then", async () => {
    const { page, context, offences } = admin;
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    await api.call(createSite, { body: { name: "east-wing", properties: { patients: "10" } } });
    await openAt(page, "/sites");
    await page
      .getByRole("row", { name: /east-wing/ })
      .getByRole("button", { name: "Approve" })
      .press("Enter");
    await expect.poll(() => focused(page), soon).toMatch(/^east-wing/);
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("east-wing");
    await openAt(page, "/people?view=pending");
    await page.getByRole("button", { name: "Approve" }).press("Enter");
    await page.getByText("Nobody waits").waitFor();
    await expect.poll(() => focused(page), soon).toContain("Nobody waits");
    await openAt(page, "/invitations");
    await page
      .getByRole("row", { name: /eve@alps.org/ })
      .getByRole("button", { name: "Withdraw" })
      .press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).press("Enter");
    await expect.poll(() => focused(page), soon).toMatch(/^eve@alps.org.*revoked/);
    expect(offences).toEqual([]);
  });

  it("a list is filtered as before for whoever comes back from one of its entries, or loads it anew", async () => {
    const { page } = admin;
    await openAt(page, "/jobs");
    await page.getByText("Completed", { exact: true }).click();
    const table = page.getByRole("table", { name: "Jobs" });
    await expect.poll(() => table.getByRole("row").count(), soon).toBe(2);
    const link = table.getByRole("link");
    const name = (await link.textContent()) ?? "";
    await page.getByLabel("Search jobs").pressSequentially(name.slice(0, 4).toUpperCase());
    const isFiltered = async (): Promise<void> => {
      await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
      expect(await page.getByLabel("Search jobs").inputValue()).toBe(name.slice(0, 4).toUpperCase());
      await expect.poll(() => table.getByRole("row").count(), soon).toBe(2);
    };
    for (const back of [() => page.getByRole("main").getByRole("link", { name: "Jobs" }).click(), () => page.goBack()]) {
      await link.click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      await back();
      await isFiltered();
    }
    await page.reload();
    await isFiltered();
    await openAt(page, "/audit?who=nobody");
    await page.getByText("Nothing found").waitFor();
  });

  it("an invitation says for how many days it may be, and shows its link although the dialog was closed meanwhile", async () => {
    const { page, context } = admin;
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    const before = (await api.call(listInvitations)).invitations.length;
    await openAt(page, "/invitations?new");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Organisation", { exact: true }).fill("south");
    await dialog.getByLabel("Good for").fill("");
    await dialog.getByRole("button", { name: "Make link" }).click();
    await dialog.getByText("must be 1 to 30 days").waitFor();
    await dialog.getByLabel("Good for").fill("3");
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    await page.route("**/api/v1/invitations", async (route) => {
      if (route.request().method() === "POST") await held;
      await route.continue();
    });
    await dialog.getByRole("button", { name: "Make link" }).click();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    goOn();
    await dialog.getByText("Invitation link").waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect((await api.call(listInvitations)).invitations).toHaveLength(before + 1);
    expect(new URL(page.url()).search).toBe("");
    await page.unroute("**/api/v1/invitations");
  });

  it("says that it is on its way as long as neither its script nor its style has come", async () => {
    const stranger = await openPage(browser, dashboard.running.url);
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    await stranger.page.route(/\/assets\/.*\.(js|css)$/, async (route) => {
      await held;
      await route.continue();
    });
    await stranger.page.goto("/", { waitUntil: "commit" });
    const words = stranger.page.getByText("The dashboard is on its way");
    await words.waitFor();
    // Painted, and not only there: a style sheet that is waited for would hold that back.
    await expect.poll(() => stranger.page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length), soon).toBe(1);
    await takePictures(stranger.page, "on-its-way");
    goOn();
    await stranger.page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await words.count()).toBe(0);
    expect(stranger.offences).toEqual([]);
    await stranger.context.close();
  });
});
