import { createSite, getMe, getSession, getSite, invite, signIn, signUp } from "@flare-ts/dashboard-api/contract";
import type { Browser } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { lackedChromium, openPage, takePictures, type WatchedPage } from "./chromium.test-support.js";
import { faultsNow, openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { StagedFederation, stagedJobs } from "./staged-federation.test-support.js";
import { clientOf } from "./staged-project.test-support.js";
import { goodPassword, type PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const soon = { timeout: 20_000 };
let browser: Browser;
let dashboard: PageDashboard;
let admin: WatchedPage;
let federation: StagedFederation;

describe.skipIf(lacked !== "")(`a session that ends, and what goes away, under an open page${lacked}`, () => {
  beforeEach(async () => {
    federation = new StagedFederation({ nowMs: Date.now() });
    const started = await openSetUpPage({ federation });
    ({ browser, dashboard, admin } = started);
    return started.stop;
  });

  /** As when the session has lasted as long as one lasts. */
  const endSession = async (): Promise<void> => await admin.context.clearCookies();
  const signInAs = async (email: string): Promise<void> => {
    const { page } = admin;
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(goodPassword);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor({ state: "hidden" });
  };

  it("keeps what was typed for whom it was, and shows nothing of it meanwhile", async () => {
    const { page, context, offences } = admin;
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    const { id } = await api.call(createSite, { body: { name: "north-1" } });
    await openAt(page, "/sites/north-1");
    const title = await page.title();
    const form = page.getByRole("region", { name: "Information" });
    await form.getByLabel("Description").fill("What took an hour to write");
    await endSession();
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("What you typed is kept for you").waitFor();
    expect(await page.getByText("north-1").first().isVisible()).toBe(false);
    expect(await faultsNow(page)).toEqual([]);
    await takePictures(page, "session-ended");
    await signInAs("ada@university.org");
    expect(await form.getByLabel("Description").inputValue()).toBe("What took an hour to write");
    await expect.poll(() => page.title(), soon).toBe(title);
    await form.getByRole("button", { name: "Save" }).click();
    await api.call(getSession);
    await expect.poll(async () => (await api.call(getSite, { params: { id } })).description, soon).toBe("What took an hour to write");
    expect(offences).toEqual([]);
  });

  it("a dialog that was being filled is there again too, although Escape was pressed on the way", async () => {
    const { page, offences } = admin;
    await openAt(page, "/sites");
    await page.getByRole("button", { name: "Add a site" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Add a site" });
    await dialog.getByLabel("Name").fill("south-1");
    await endSession();
    await dialog.getByRole("button", { name: "Add site" }).click();
    await page.getByText("What you typed is kept for you").waitFor();
    expect(await dialog.isVisible()).toBe(false);
    await page.keyboard.press("Tab");
    await page.getByLabel("E-mail address").focus();
    await page.keyboard.press("Escape");
    await signInAs("ada@university.org");
    expect(await dialog.getByLabel("Name").inputValue()).toBe("south-1");
    await dialog.getByRole("button", { name: "Add site" }).click();
    await page.getByRole("heading", { level: 1, name: "south-1" }).waitFor();
    expect(offences).toEqual([]);
  });

  it("somebody else who signs in there gets nothing of it, and neither does anybody after signing out", async () => {
    const { page, context } = admin;
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    const { link } = await api.call(invite, { body: { organization: "north", role: "project_admin", approvesAtOnce: true } });
    const other = await openPage(browser, dashboard.running.url);
    const body = { token: new URL(link ?? "").hash.slice(1), name: "Bo Keller", email: "bo@north.org", password: goodPassword };
    await clientOf(other.context, dashboard.running.url).call(signUp, { body });
    await openAt(page, "/project");
    const title = page.getByRole("region", { name: "About" }).getByLabel("Title");
    await title.fill("Ada's own");
    await endSession();
    await page.getByRole("region", { name: "About" }).getByRole("button", { name: "Save" }).click();
    await signInAs("bo@north.org");
    await page.getByText("Bo Keller").waitFor();
    expect(await title.inputValue()).toBe("");
    await title.fill("Bo's own");
    const beside = await context.newPage();
    await openAt(beside, "/project");
    await page.getByRole("button", { name: /Bo Keller/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    for (const one of [page, beside]) {
      await one.getByRole("heading", { name: "Sign in" }).waitFor({ timeout: 30_000 });
      expect(await one.getByText("What you typed is kept for you").count()).toBe(0);
      expect(await one.locator("input[value]").count()).toBeLessThan(3);
      expect(await one.getByText("Bo Keller").count()).toBe(0);
    }
  });

  it("goes on by itself when its person signs in beside it", async () => {
    const { page, context } = admin;
    await openAt(page, "/project");
    const title = page.getByRole("region", { name: "About" }).getByLabel("Title");
    await title.fill("Ada's own");
    await endSession();
    await page.getByRole("region", { name: "About" }).getByRole("button", { name: "Save" }).click();
    await page.getByText("What you typed is kept for you").waitFor();
    const api = clientOf(context, dashboard.running.url);
    await api.call(signIn, { body: { email: "ada@university.org", password: goodPassword } });
    await api.call(getMe);
    await page.getByText("What you typed is kept for you").waitFor({ state: "hidden", timeout: 60_000 });
    expect(await title.inputValue()).toBe("Ada's own");
  });

  it("a job that somebody else deletes is said to be gone on the page that shows it", async () => {
    const { page, offences } = admin;
    const id = stagedJobs.completed;
    await openAt(page, `/jobs/${id}`);
    const { name } = federation.jobs.get(id)?.job ?? { name: "" };
    await page.getByRole("heading", { level: 1, name }).waitFor();
    federation.jobs.delete(id);
    federation.tell({ kind: "jobs", jobs: [], removed: [id] });
    await page.getByRole("alert").waitFor();
    await takePictures(page, "job-gone");
    expect(await page.getByRole("heading", { level: 1, name }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Run again" }).count()).toBe(0);
    expect(offences).toEqual([]);
  });
});
