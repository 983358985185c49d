import type { DashboardComponents } from "@flare-ts/dashboard-api";
import type { Browser } from "playwright-core";
import { launchChromium, openPage, type WatchedPage } from "./chromium.test-support.js";
import { type PageDashboard, setUpDashboard, startPageDashboard } from "./test-dashboard.test-support.js";

/** A browser, a dashboard that was set up just now, and its first project admin at the page. */
export interface SetUpPage {
  readonly browser: Browser;
  readonly dashboard: PageDashboard;
  readonly admin: WatchedPage;
  readonly stop: () => Promise<void>;
}

/** Starts all that a test of the page begins with; a hook that returns its `stop` has it ended too. */
export async function openSetUpPage(components: DashboardComponents = {}): Promise<SetUpPage> {
  const browser = await launchChromium();
  const dashboard = await startPageDashboard(components).catch(async (error: unknown) => {
    await browser.close();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await browser.close();
    await dashboard.stop();
  };
  try {
    const admin = await openPage(browser, dashboard.running.url);
    await setUpDashboard(admin.page, dashboard);
    return { browser, dashboard, admin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
