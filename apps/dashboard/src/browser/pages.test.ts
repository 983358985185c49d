import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { BusyFederation } from "./busy-federation.test-support.js";
import { lackedChromium, openPage, takePictures, type WatchedPage } from "./chromium.test-support.js";
import { faultsOf } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { goodPassword, type PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
// Sites of every state, and more than fit on a screen: for those who do not see well, forty more of the same change nothing.
const federation = new BusyFederation({ sites: 24, jobs: 5 });
const soon = { timeout: 20_000 };
let browser: Browser;
let dashboard: PageDashboard;
let admin: WatchedPage;
let stranger: WatchedPage;

describe.skipIf(lacked !== "")(`the page${lacked}`, () => {
  beforeAll(async () => {
    const started = await openSetUpPage({ federation });
    ({ browser, dashboard, admin } = started);
    stranger = await openPage(browser, dashboard.running.url);
    return started.stop;
  });

  it.each([
    "/",
    "/jobs",
    "/jobs?new",
    "/sites",
    "/sites?new",
    "/sites/site-1",
    "/kits",
    "/people",
    "/invitations",
    "/invitations?new",
    "/project",
    "/audit",
    "/profile",
  ])("has no serious fault for those who cannot see it well, in both themes: %s", async (path) => {
    expect(await faultsOf(admin.page, path)).toEqual([]);
  });

  it.each(["/", "/reset", "/sign-up#x", "/reset-password#x", "/set-up#x", "/kit-link#x"])("the same for strangers: %s", async (path) => {
    // As long as a token is.
    expect(await faultsOf(stranger.page, path.replace("#x", `#${"x".repeat(43)}`))).toEqual([]);
    await takePictures(stranger.page, `open-${path.replace(/\W/g, "") || "sign-in"}`);
  });

  it("asks no other site for anything, and breaks no rule of its policy", () => {
    expect([...admin.offences, ...stranger.offences]).toEqual([]);
  });

  it("a first look at 64 sites loads less than 300 kB of script, and the page works for less than a second until it can be used", async () => {
    federation.grow(64);
    const { page, context } = await openPage(browser, dashboard.running.url, { storageState: await admin.context.storageState() });
    const scripts = new Set<string>();
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (pathname.endsWith(".js")) scripts.add(pathname);
    });
    await page.goto("/");
    await page.getByRole("heading", { name: "What to do next" }).waitFor();
    const bytes = [...scripts].reduce((sum, path) => sum + gzipSync(readFileSync(`${dist}${path}`)).length, 0);
    expect(bytes).toBeLessThan(300_000);
    // What the page's own thread works, on a processor: other work on the machine is not the page's.
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const begin = performance.now();
    await page.goto("/jobs");
    await page.goto("/");
    await page.getByRole("heading", { name: "What to do next" }).waitFor();
    const { metrics } = await session.send("Performance.getMetrics");
    const worked = metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.POSITIVE_INFINITY;
    const seconds = `${worked.toFixed(2)} s of work for two pages within ${((performance.now() - begin) / 1000).toFixed(2)} s`;
    process.stdout.write(`first look: ${Math.round(bytes / 1000)} kB of script, ${seconds}\n`);
    expect(worked).toBeLessThan(1);
    await context.close();
  });

  it("has the styles of all components that its scripts use", () => {
    const read = (ending: string): string =>
      readdirSync(`${dist}assets`)
        .filter((name) => name.endsWith(ending))
        .map((name) => readFileSync(`${dist}assets/${name}`, "utf8"))
        .join("\n");
    const classesIn = (text: string): Set<string> => new Set(text.match(/\bm_[0-9a-f]{6,8}\b/g));
    const styled = classesIn(readFileSync(fileURLToPath(import.meta.resolve("@mantine/core/styles.layer.css")), "utf8"));
    const here = classesIn(read(".css"));
    expect([...classesIn(read(".js"))].filter((name) => styled.has(name) && !here.has(name))).toEqual([]);
  });

  it("all scripts together stay small enough to be worth looking at", () => {
    const all = readdirSync(`${dist}assets`).filter((name) => name.endsWith(".js"));
    expect(all.reduce((sum, name) => sum + gzipSync(readFileSync(`${dist}assets/${name}`)).length, 0)).toBeLessThan(450_000);
  });

  it("signs in and submits a job without a mouse", async () => {
    const { page, context, offences } = await openPage(browser, dashboard.running.url);
    await page.goto("/jobs");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.keyboard.type("ada@university.org");
    await page.keyboard.press("Tab");
    await page.keyboard.type(goodPassword);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await page.locator("body").press("Tab");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent), soon).toBe("Skip to the content");
    const focused = (): Promise<string | null | undefined> => page.evaluate(() => document.activeElement?.textContent);
    // The address that the overview leads to: it opens the dialog.
    await page.goto("/jobs?new");
    const dialog = page.getByRole("dialog", { name: "Submit a job" });
    await dialog.getByRole("radio").first().waitFor();
    for (let presses = 0; presses < 20 && (await focused()) !== "Submit job"; presses++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    // There is no server behind this dashboard: that it was asked is what counts, and that the answer is told.
    await dialog.getByRole("alert").waitFor();
    await context.close();
    expect(offences).toEqual([]);
  });

  it("stays smooth with 64 sites and 5 jobs that move four times a second", async () => {
    const { page } = admin;
    federation.grow(64);
    await page.goto("/");
    await page.getByText("site-64", { exact: true }).waitFor();
    const timer = setInterval(() => federation.turn(), 250);
    const seconds = 2;
    const { worstMs, frames } = await page.evaluate(async (forSeconds) => {
      const gaps: number[] = [];
      let last = performance.now();
      const until = last + 1000 * forSeconds;
      while (last < until) {
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        gaps.push(now - last);
        last = now;
      }
      return { worstMs: Math.max(...gaps), frames: gaps.length / forSeconds };
    }, seconds);
    clearInterval(timer);
    process.stdout.write(`64 sites, 5 jobs: ${Math.round(frames)} frames a second, the longest ${Math.round(worstMs)} ms\n`);
    expect(frames).toBeGreaterThan(20);
    await takePictures(page, "overview-64-sites");
    await page.goto("/sites");
    await page.getByText("site-64", { exact: true }).waitFor();
    await takePictures(page, "sites-64");
  });
});
