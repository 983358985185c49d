import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { BenchError } from "../command-line/bench-error.ts";

/** The built page. */
export const pageFolder: string = fileURLToPath(new URL("../../../apps/dashboard/dist/", import.meta.url));

const executablePath = "/usr/bin/chromium";

/** What a browser that never saw the dashboard before goes through until a person can use the page. */
export interface FirstLook {
  /** From the start of the navigation until the content is there. */
  readonly contentMs: number;
  /** Until, besides, the page answers input at once: the end of the last piece of work over 50 ms. */
  readonly interactiveMs: number;
  /** What the page's own thread worked until then, by processor time: other work on the machine is not in it. */
  readonly workMs: number;
  readonly requests: number;
  /** As they come over the wire. */
  readonly transferredBytes: number;
  readonly scripts: number;
  /** As a server that compresses on the fly would send them. */
  readonly gzippedScriptBytes: number;
}

/** Runs before the page's own scripts: notes when the overview's lists are drawn, and when the last long piece of work ended. */
const watchInPage = `
  const firstLook = (globalThis.firstLook = { contentMs: 0, longEndMs: 0 });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) firstLook.longEndMs = startTime + duration;
  }).observe({ type: "longtask", buffered: true });
  const watch = new MutationObserver(() => {
    if (document.querySelector("main a[href^='/sites/']") === null) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => (firstLook.contentMs = performance.now())));
  });
  watch.observe(document, { childList: true, subtree: true });
`;

/** Waits until nothing long has happened for a while. */
const waitInPage = `(async () => {
  while (firstLook.contentMs === 0 || performance.now() - Math.max(firstLook.contentMs, firstLook.longEndMs) < 700) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return firstLook;
})()`;

const sizesInPage = `["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type)).map(({ transferSize }) => transferSize)`;

/** Looks at the overview as often as is asked, each time with an empty cache. @throws BenchError where Chromium is not there */
export async function firstLooks(url: string, cookie: string, count: number): Promise<readonly FirstLook[]> {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] }).catch((cause: unknown) => {
    throw new BenchError(`A first look needs ${executablePath} (Debian's package chromium): ${String(cause)}`);
  });
  try {
    const looks: FirstLook[] = [];
    // The first one warms up the server and the browser's own processes.
    for (let at = 0; at <= count; at++) looks.push(await look(browser, url, cookie));
    return looks.slice(1);
  } finally {
    await browser.close();
  }
}

async function look(browser: Browser, url: string, cookie: string): Promise<FirstLook> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const [name = "", value = ""] = cookie.split("=");
    await context.addCookies([{ name, value, url }]);
    return await measure(context, url);
  } finally {
    await context.close();
  }
}

async function measure(context: BrowserContext, url: string): Promise<FirstLook> {
  const page = await context.newPage();
  const scripts = new Set<string>();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.endsWith(".js")) scripts.add(pathname);
  });
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.addInitScript({ content: watchInPage });
  await page.goto(url);
  const { contentMs, longEndMs } = await page.evaluate<{ contentMs: number; longEndMs: number }>(waitInPage);
  const { metrics } = await session.send("Performance.getMetrics");
  const loaded = await page.evaluate<readonly number[]>(sizesInPage);
  return {
    contentMs,
    interactiveMs: Math.max(contentMs, longEndMs),
    workMs: 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN),
    requests: loaded.length,
    transferredBytes: loaded.reduce((sum, size) => sum + size, 0),
    scripts: scripts.size,
    gzippedScriptBytes: [...scripts].reduce((sum, path) => sum + gzipSync(readFileSync(`${pageFolder}${path}`)).length, 0),
  };
}
