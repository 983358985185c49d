import type { DashboardComponents } from "@flare-ts/dashboard-api";
import { setUp } from "@flare-ts/dashboard-api/contract";
import type { Browser } from "playwright-core";
import { afterAll } from "vitest";
import { launchChromium, openPage, type WatchedPage } from "./chromium.test-support.js";
import { clientOf } from "./staged-project.test-support.js";
import { firstAdmin, type PageDashboard, startPageDashboard } from "./test-dashboard.test-support.js";

/** A browser, a dashboard that was set up just now, and its first project admin, who is signed in and at no page yet. */
export interface SetUpPage {
  readonly browser: Browser;
  readonly dashboard: PageDashboard;
  readonly admin: WatchedPage;
  readonly stop: () => Promise<void>;
}

/** One browser for all tests of a file: what one opens, another sees nothing of. */
let shared: Promise<Browser> | undefined;

afterAll(async () => {
  await (await shared)?.close();
});

/** Starts all that a test of the page begins with; a hook that returns its `stop` has it ended too. */
export async function openSetUpPage(components: DashboardComponents = {}): Promise<SetUpPage> {
  shared ??= launchChromium();
  const browser = await shared;
  const dashboard = await startPageDashboard(components);
  const stop = async (): Promise<void> => {
    for (const context of browser.contexts()) await context.close();
    await dashboard.stop();
  };
  try {
    const { url, setUpLink = "" } = dashboard.running;
    const admin = await openPage(browser, url);
    await clientOf(admin.context, url).call(setUp, { body: { token: new URL(setUpLink).hash.slice(1), ...firstAdmin } });
    return { browser, dashboard, admin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
