import { getMe, getProject, getSession, invite, listPeople, signOut, signUp, updateProject } from "@flare-ts/dashboard-api/contract";
import type { Browser } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { lackedChromium, openPage, type WatchedPage } from "./chromium.test-support.js";
import { openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { clientOf, stageProject } from "./staged-project.test-support.js";
import { goodPassword, type PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const soon = { timeout: 20_000 };
let browser: Browser;
let dashboard: PageDashboard;
let admin: WatchedPage;

describe.skipIf(lacked !== "")(`what slips or is interrupted${lacked}`, () => {
  beforeEach(async () => {
    const started = await openSetUpPage();
    ({ browser, dashboard, admin } = started);
    return started.stop;
  });

  it("saving one part of the project keeps what was typed into the others, and so does what another admin saves", async () => {
    const { page, context, offences } = admin;
    await openAt(page, "/project");
    const title = page.getByRole("region", { name: "About" }).getByLabel("Title");
    await title.fill("A title that took long to find");
    await page.getByRole("region", { name: "About" }).getByLabel("Name").fill("study");
    const server = page.getByRole("region", { name: "Server" });
    await server.getByLabel("Host").fill("server.example.org");
    await server.getByRole("button", { name: "Save" }).click();
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    await expect.poll(async () => (await api.call(getProject)).server?.name, soon).toBe("server.example.org");
    await api.call(updateProject, { body: { dockerImage: "registry.example.org/flare:1" } });
    await expect.poll(() => page.getByLabel("Container image").inputValue(), soon).toBe("registry.example.org/flare:1");
    expect(await title.inputValue()).toBe("A title that took long to find");
    await page.getByRole("region", { name: "About" }).getByRole("button", { name: "Save" }).click();
    await expect.poll(async () => (await api.call(getProject)).title, soon).toBe("A title that took long to find");
    expect(offences).toEqual([]);
  });

  it("the days of a project are the same in every time zone, and one that is none takes nothing away", async () => {
    const { page, context } = admin;
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    await api.call(updateProject, { body: { startsAtMs: Date.UTC(2026, 2, 1), endsAtMs: Date.UTC(2027, 2, 1) } });
    const { link } = await api.call(invite, { body: { organization: "north", role: "member", approvesAtOnce: true } });
    const far = await openPage(browser, dashboard.running.url, { timezoneId: "America/Los_Angeles", locale: "en-US" });
    const token = new URL(link ?? "").hash.slice(1);
    const body = { token, name: "Mia", email: "mia@north.org", password: goodPassword };
    await clientOf(far.context, dashboard.running.url).call(signUp, { body });
    await openAt(far.page, "/project");
    expect(await far.page.getByText("Begins", { exact: true }).locator("..").textContent()).toBe("BeginsMar 1, 2026");

    await openAt(page, "/project");
    const about = page.getByRole("region", { name: "About" });
    await about.getByLabel("Ends").fill("20277-03-01");
    await about.getByLabel("Name").fill("study");
    await about.getByRole("button", { name: "Save" }).click();
    await about.getByText("four digits").waitFor();
    expect((await api.call(getProject)).endsAtMs).toBe(Date.UTC(2027, 2, 1));
  });

  it("Escape closes the dialog on top alone: the passphrase that is shown once stays", async () => {
    await stageProject(browser, dashboard, admin);
    const { page, offences } = admin;
    await openAt(page, "/kits");
    await page.getByRole("region", { name: "Your console" }).getByRole("button", { name: "Issue kit" }).click();
    const kit = page.getByRole("dialog", { name: "The kit of ada@university.org" });
    await kit.getByRole("button", { name: "Link for an operator" }).click();
    const link = page.getByRole("dialog", { name: "Link for an operator" });
    await link.waitFor();
    await page.keyboard.press("Escape");
    await link.waitFor({ state: "hidden" });
    await kit.getByText("The passphrase is shown this once").waitFor();
    await page.keyboard.press("Escape");
    await kit.getByRole("button", { name: "I have kept the passphrase" }).click();
    await kit.waitFor({ state: "hidden" });
    expect(offences).toEqual([]);
  });

  it("a kit whose download breaks off is said to have, and can be taken after all", async () => {
    const { links } = await stageProject(browser, dashboard, admin);
    const operator = await openPage(browser, dashboard.running.url);
    await operator.page.addInitScript(() => {
      const real = globalThis.fetch;
      let isBroken = false;
      globalThis.fetch = async (input, init) => {
        if (isBroken || typeof input !== "string" || !input.endsWith("/kit-links/use")) return real(input, init);
        isBroken = true;
        const cut = new ReadableStream({ pull: (stream) => stream.error(new TypeError("network error")) });
        return new Response(cut, { headers: { "content-disposition": 'attachment; filename="kit.zip"' } });
      };
    });
    await operator.page.goto(links.kit);
    await operator.page.getByRole("button", { name: "Download" }).click();
    await operator.page.getByText("The dashboard cannot be reached").waitFor();
    const [download] = await Promise.all([
      operator.page.waitForEvent("download"),
      operator.page.getByRole("button", { name: "Download" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("server.example.org.zip");
    await operator.page.getByText("The archive is on its way").waitFor();
    expect(operator.offences).toEqual([]);
  });

  it("whoever signs in beside an open page sees there nothing of whom it was of before", async () => {
    const { member } = await stageProject(browser, dashboard, admin);
    const { page, context } = admin;
    // As on a machine that several people use: the page of the one is there still when the other signs in.
    await openAt(page, "/sites");
    await page.getByText("new-wing", { exact: true }).waitFor();
    await context.clearCookies();
    await context.addCookies(await member.context.cookies());
    await dashboard.restart(async () => {
      await page.getByRole("status").filter({ hasText: "This page is not live" }).waitFor();
    });
    await page.getByText("Mia Santos").waitFor();
    await page.getByRole("heading", { level: 1, name: "Sites" }).waitFor();
    expect(await page.getByText("new-wing", { exact: true }).count()).toBe(0);
  });

  it("a double click approves once, and complains of nothing", async () => {
    const { page, context } = admin;
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    const { link } = await api.call(invite, { body: { organization: "north", role: "member" } });
    const bo = await openPage(browser, dashboard.running.url);
    const body = { token: new URL(link ?? "").hash.slice(1), name: "Bo Keller", email: "bo@north.org", password: goodPassword };
    await clientOf(bo.context, dashboard.running.url).call(signUp, { body });
    await openAt(page, "/people");
    const asked: string[] = [];
    await page.route("**/api/v1/people/*", async (route) => {
      asked.push(route.request().method());
      // As over a link that takes its time.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue();
    });
    await page.getByRole("button", { name: "Approve" }).dblclick();
    await page.getByText("Saved").waitFor();
    await expect.poll(async () => (await api.call(listPeople)).people.map(({ state }) => state), soon).toEqual(["approved", "approved"]);
    await page.getByRole("button", { name: "Approve" }).waitFor({ state: "hidden" });
    expect(asked).toEqual(["PATCH"]);
    expect(await page.getByText("That did not work").count()).toBe(0);
  });

  it("says that sites and entries could not be read, not that there are none", async () => {
    const { page } = admin;
    const refuse = { status: 403, json: { error: { code: "dashboard/forbidden", message: "Not you.", todo: "Ask." } } };
    await page.route(/\/api\/v1\/(sites|audit)(\?|$)/, (route) => route.fulfill(refuse));
    for (const [path, words] of [
      ["/sites", "No site yet"],
      ["/audit", "Nothing found"],
    ] as const) {
      await openAt(page, path);
      await page.getByText("Not you.").waitFor();
      expect(await page.getByText(words).count()).toBe(0);
    }
  });

  it("a page whose file is not there any more, as after an update, says so within its frame, and comes when it is loaded anew", async () => {
    const { page } = admin;
    await openAt(page, "/");
    await page.route("**/assets/audit-page*.js", (route) => route.abort());
    const navigation = page.getByRole("navigation", { name: "Pages" });
    await navigation.getByRole("link", { name: "Audit trail" }).click();
    await page.getByRole("alert").getByText("This page cannot be shown").waitFor();
    await navigation.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await navigation.getByRole("link", { name: "Audit trail" }).click();
    await page.unroute("**/assets/audit-page*.js");
    await page.getByRole("button", { name: "Load it anew" }).click();
    await page.getByRole("heading", { level: 1, name: "Audit trail" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  it("the audit trail finds an address however it is written, and takes a space for nothing", async () => {
    const { page } = admin;
    await openAt(page, "/audit");
    for (const [label, text] of [
      ["Who", "Ada@University.org "],
      ["Action", " "],
    ] as const) {
      const answered = page.waitForResponse((response) => response.url().includes("/api/v1/audit?"), { timeout: 2000 }).catch(() => null);
      await page.getByLabel(label).fill(text);
      await answered;
      await page.getByRole("cell", { name: "session.setUp" }).waitFor();
      expect(await page.getByText("Nothing found").count()).toBe(0);
    }
  });

  it("a page that asked for its session while the dashboard was away asks again, and goes to the sign-in", async () => {
    const { page, context } = admin;
    await openAt(page, "/jobs");
    let asked = 0;
    await page.route("**/api/v1/session", (route) => {
      asked++;
      return route.abort();
    });
    await dashboard.restart(async () => {
      // Asked once, and three times more: then it is given up.
      await expect.poll(() => asked, soon).toBeGreaterThanOrEqual(4);
    });
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    await api.call(signOut);
    await expect(api.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
    await page.unroute("**/api/v1/session");
    await page.getByRole("heading", { name: "Sign in" }).waitFor({ timeout: 30_000 });
  });
});
