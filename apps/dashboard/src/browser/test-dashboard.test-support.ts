import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DashboardComponents, type RunningDashboard, startDashboard } from "@flare-ts/dashboard-api";
import { freePort } from "@flare-ts/runtime";
import type { Page } from "playwright-core";

/** A password that the dashboard accepts. */
export const goodPassword = "seven quiet lanterns on a pier";

/** A dashboard with the built page, over TLS, on a folder of its own. */
export interface PageDashboard {
  /** The one that runs now. */
  readonly running: RunningDashboard;
  readonly folder: string;
  /** Stops it, lets something happen meanwhile, and starts it again on the same folder and at the same address. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a dashboard that serves the built page. */
export async function startPageDashboard(components: DashboardComponents = {}): Promise<PageDashboard> {
  const folder = await mkdtemp(join(tmpdir(), "flare-page-"));
  const start = (port: number): Promise<RunningDashboard> =>
    startDashboard(
      {
        dataFolder: join(folder, "data"),
        port,
        pageFolder: fileURLToPath(new URL("../../dist/", import.meta.url)),
        scryptCost: { logN: 10, r: 8, p: 1 },
      },
      components,
    );
  // None that systems give to connections: it is to be had again after a restart.
  let running = await start(await freePort());
  return {
    get running() {
      return running;
    },
    folder,
    async restart(meanwhile) {
      await running.stop();
      await meanwhile();
      running = await start(Number(new URL(running.url).port));
    },
    async stop() {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The first project admin of each dashboard. */
export const firstAdmin = { name: "Ada Lind", email: "ada@university.org", organization: "university", password: goodPassword } as const;

/** Opens the set-up link and becomes the first project admin. */
export async function setUpDashboard(page: Page, dashboard: PageDashboard): Promise<void> {
  await page.goto(dashboard.running.setUpLink ?? "");
  await page.getByLabel("Your name").fill(firstAdmin.name);
  await page.getByLabel("E-mail address").fill(firstAdmin.email);
  await page.getByLabel("Organisation").fill(firstAdmin.organization);
  await page.getByLabel("Password", { exact: true }).fill(firstAdmin.password);
  await page.getByRole("button", { name: "Create my account" }).click();
  await page.getByRole("heading", { level: 1, name: "A new project" }).waitFor();
}
