import { accessSync, constants, existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const executablePath = "/usr/bin/chromium";

/** The same engine in half of the work: the whole one draws windows of its own that nobody sees. */
const withoutWindows = "/usr/bin/chromium-headless-shell";

/** Where tests leave pictures of the pages, for people to look at. */
export const artefacts: string = fileURLToPath(new URL("../../artefacts/", import.meta.url));

/**
 * The end of a test's name where this machine lacks Chromium: it says what to install. Empty where it is there, and where nothing
 * may be skipped, so that the test then fails instead.
 */
export function lackedChromium(): string {
  if (process.env["FLARE_NO_SKIPS"] === "1") return "";
  try {
    accessSync(executablePath, constants.X_OK);
    return "";
  } catch {
    return " (needs the Debian package chromium)";
  }
}

/** A real Chromium: the whole one, as a person has it, or, where that does not matter and it is installed, the one without windows. */
export function launchChromium({ isWhole = false }: { readonly isWhole?: boolean } = {}): Promise<Browser> {
  const path = !isWhole && existsSync(withoutWindows) ? withoutWindows : executablePath;
  return chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
}

/** A page that keeps what must not happen on it. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts, violations of the policy, and requests to other origins, in words. */
  readonly offences: readonly string[];
}

/** What does not come for so long does not come: pages take several times as long on a machine with much to do. */
const patienceMs = 90_000;

/** Opens a page of its own, as a person with a browser of their own. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: url,
    ignoreHTTPSErrors: true,
    viewport: { width: 1360, height: 860 },
    acceptDownloads: true,
    ...options,
  });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const offences: string[] = [];
  // Not every browser writes to its console what the policy forbade.
  await page.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
      reportError(new Error(`the policy forbids ${blockedURI} as ${effectiveDirective}`)),
    ),
  );
  page.on("pageerror", (error) => offences.push(`script: ${error.message}`));
  page.on("console", (message) => {
    // An answer with an error status is written to the console by the browser itself.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) offences.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== new URL(url).origin) offences.push(`request to ${request.url()}`);
  });
  return { page, context, offences };
}

/** Keeps a picture of a page in both themes and as on a phone. */
export async function takePictures(page: Page, name: string): Promise<void> {
  if (process.env["FLARE_PICTURES"] !== "1") return;
  await mkdir(artefacts, { recursive: true });
  const size = page.viewportSize();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(artefacts, `${name}-${colorScheme}.png`) });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(artefacts, `${name}-phone.png`), fullPage: true });
  if (size !== null) await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: "light" });
}
