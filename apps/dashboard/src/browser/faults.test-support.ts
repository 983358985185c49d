import AxeBuilder from "@axe-core/playwright";
import type { Page } from "playwright-core";

/** Goes to an address, waits until it is all there, and gives its serious and critical faults in both themes. */
export async function faultsOf(page: Page, path: string): Promise<readonly string[]> {
  await goTo(page, path);
  return faultsNow(page);
}

/** Opens an address anew and waits until nothing on it is still on its way. */
export async function openAt(page: Page, path: string): Promise<void> {
  // By way of no other page: that would end the process that has the scripts compiled. A page that is there already is loaded again.
  await page.goto(path);
  await allThere(page, path);
}

/** Goes to an address as links within the page lead there, which is much less work than to load all anew, and waits as `openAt` does. */
export async function goTo(page: Page, path: string): Promise<void> {
  if (!page.url().startsWith("http")) return openAt(page, path);
  await page.evaluate(async (to) => {
    history.pushState(null, "", to);
    // What it leads to, or that it is on its way, is drawn by the frame after the next.
    for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  }, path);
  await allThere(page, path);
}

async function allThere(page: Page, path: string): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  if (path.includes("?new")) await page.getByRole("dialog").waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"], [aria-label="Loading"]') === null);
}

/** What a theme changes: all other rules are about what is the same in both. */
const rulesOfColor = ["color-contrast", "link-in-text-block"];

/** The serious and critical faults of what a page shows now, in both themes. */
export async function faultsNow(page: Page): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction((scheme) => document.documentElement.dataset["mantineColorScheme"] === scheme, colorScheme);
    // To read the source of the checks takes longer than the checks: once for each page that was loaded.
    const isRead = await page.evaluate(() => "axe" in globalThis);
    // Without frames nothing has to be gathered in a page of its own, which takes longer than the checks.
    const axe = new AxeBuilder({ page, ...(isRead ? { axeSource: ";" } : {}) }).setLegacyMode().options({ resultTypes: ["violations"] });
    const { violations } = await (colorScheme === "light" ? axe : axe.withRules(rulesOfColor)).analyze();
    for (const { id, impact, nodes } of violations) {
      if (impact === "serious" || impact === "critical") {
        faults.push(
          ...nodes.slice(0, 3).map(({ html, failureSummary }) => `${colorScheme} ${id}: ${html.slice(0, 160)} ${failureSummary ?? ""}`),
        );
      }
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  return faults;
}
