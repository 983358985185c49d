import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lackedChromium, takePictures, type WatchedPage } from "./chromium.test-support.js";
import { cutOff } from "./cut-off.test-support.js";
import { faultsOf, goTo, openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { StagedFederation } from "./staged-federation.test-support.js";
import { measureNext, stageWorkflows, workflowJobs } from "./staged-workflows.test-support.js";

const lacked = lackedChromium();
const wide = { width: 1280, height: 860 };
const nowMs = Date.now();
const federation = new StagedFederation({ nowMs });
let admin: WatchedPage;
let page: Page;

describe.skipIf(lacked !== "")(`jobs of several workflows, of turns and of evaluations${lacked}`, () => {
  beforeAll(async () => {
    stageWorkflows(federation, nowMs);
    const started = await openSetUpPage({ federation });
    ({ admin } = started);
    ({ page } = admin);
    await page.setViewportSize(wide);
    return started.stop;
  });

  it.each(Object.entries(workflowJobs))(
    "have no serious fault for those who cannot see them well, in both themes: %s",
    async (name, id) => {
      // High enough for all of it to be in a picture.
      await page.setViewportSize({ width: 1280, height: 2100 });
      expect(await faultsOf(page, `/jobs/${id}`)).toEqual([]);
      await takePictures(page, `workflows-${name}`);
      await page.setViewportSize(wide);
    },
  );

  it.each(Object.entries(workflowJobs))("cut off nothing on any screen: %s", async (_name, id) => {
    await goTo(page, `/jobs/${id}`);
    for (const width of [1280, 900, 640, 320]) {
      await page.setViewportSize({ width, height: 700 });
      await expect.poll(async () => ({ width, cut: await cutOff(page) })).toEqual({ width, cut: [] });
    }
    await page.setViewportSize(wide);
  });

  it("an evaluation is a table of models and sites that grows while it goes on, for the metric that was chosen", async () => {
    await openAt(page, `/jobs/${workflowJobs.evaluating}`);
    const region = page.getByRole("region", { name: "Evaluation: cross-site-evaluation" });
    const table = region.getByRole("table", { name: "dice of each model at each site" });
    const rows = table.getByRole("rowheader");
    await table.waitFor();
    expect(await rows.allTextContents()).toEqual([
      "global model",
      "best global model",
      "mountain-clinic",
      "northern-general",
      "riverside",
      "university-hospital",
    ]);
    const third = table.getByRole("row", { name: /northern-general/ }).getByRole("cell");
    const value = expect.stringMatching(/^0\./) as string;
    await expect.poll(() => third.allTextContents()).toEqual(["working", "working", value, value, "working", "–"]);
    await region.getByText("lakeside handed in no model: site/trainer-failed").waitFor();
    await region.getByText("lakeside has no value for global model, best global model, mountain-clinic:").waitFor();
    measureNext(federation, "mountain-clinic");
    await expect.poll(() => third.nth(1).textContent()).toMatch(/^0\./);
    await region.getByLabel("Metric").selectOption("hausdorff_mm");
    await region.getByRole("table", { name: "hausdorff_mm of each model at each site" }).waitFor();
    await expect.poll(() => third.count()).toBe(0);
    expect(admin.offences).toEqual([]);
  });

  it("statistics are a table of features, of all sites or of one, for the data set that was chosen", async () => {
    await openAt(page, `/jobs/${workflowJobs.statistics}`);
    const region = page.getByRole("region", { name: "Statistics" });
    const table = region.getByRole("table", { name: "training, all sites" });
    // They are asked for once the page is there.
    await table.waitFor();
    expect(await table.getByRole("columnheader").allTextContents()).toEqual([
      "Feature",
      "Count",
      "Mean",
      "Deviation",
      "10 %",
      "50 %",
      "90 %",
      "Histogram",
    ]);
    const age = table.getByRole("row", { name: /age at diagnosis/ });
    expect((await age.getByRole("cell").allTextContents())[0]).toBe("346");
    await age.getByRole("img", { name: /^20 to 100, most from 4\d to \d\d$/ }).waitFor();
    await region.getByLabel("Data set").selectOption("validation");
    await region.getByLabel("Site").selectOption("riverside");
    const own = region.getByRole("table", { name: "validation, riverside" });
    await own.waitFor();
    expect((await own.getByRole("row", { name: /age/ }).getByRole("cell").allTextContents())[0]).toBe("40");
    // There is nothing to draw a curve of.
    expect(await page.getByRole("region", { name: "Curves" }).count()).toBe(0);
    expect(admin.offences).toEqual([]);
  });

  it("statistics by levels are a table of all sites, of each group at each level, or of one site", async () => {
    await openAt(page, `/jobs/${workflowJobs.levels}`);
    const region = page.getByRole("region", { name: "Statistics" });
    await region.getByRole("table", { name: "training, all sites" }).waitFor();
    const choice = region.getByLabel("Group or site");
    const four = ["riverside", "northern-general", "mountain-clinic", "university-hospital"];
    expect(await choice.getByRole("option").allTextContents()).toEqual([
      "All sites",
      "Austria",
      ...four.slice(0, 2).map((site) => `Austria / ${site}`),
      "Switzerland",
      "Switzerland / Bern",
      `Switzerland / Bern / ${four[2] ?? ""}`,
      "Switzerland / Thun",
      `Switzerland / Thun / ${four[3] ?? ""}`,
    ]);
    await choice.selectOption("Switzerland");
    const table = region.getByRole("table", { name: "training, Switzerland (Countries)" });
    await table.waitFor();
    expect((await table.getByRole("row", { name: /age/ }).getByRole("cell").allTextContents())[0]).toBe("235");
    await takePictures(page, "workflows-levels-chosen");
    await choice.selectOption("Switzerland / Bern");
    await region.getByRole("table", { name: "training, Switzerland / Bern (Towns)" }).waitFor();
    expect(admin.offences).toEqual([]);
  });

  it("a wide one is scrolled by keyboard, with whose model it is in sight", async () => {
    await openAt(page, `/jobs/${workflowJobs.wide}`);
    const frame = page.getByRole("group", { name: "dice of each model at each site" });
    await frame.focus();
    await page.keyboard.press("End");
    for (let presses = 0; presses < 5; presses++) await page.keyboard.press("ArrowRight");
    await expect.poll(() => frame.evaluate(({ scrollLeft }) => scrollLeft)).toBeGreaterThan(50);
    const [header, around] = await Promise.all([frame.getByRole("rowheader").first().boundingBox(), frame.boundingBox()]);
    expect(header?.x).toBeCloseTo(around?.x ?? 0, 0);
  });

  it("curves are of training alone", async () => {
    await openAt(page, `/jobs/${workflowJobs.evaluating}`);
    const metrics = page.getByRole("region", { name: "Metrics" });
    await expect.poll(() => metrics.getByRole("heading", { level: 3 }).allTextContents()).toEqual(["train_loss", "dice"]);
    await metrics.getByLabel("dice as a table").click({ force: true });
    await expect.poll(() => metrics.getByRole("table").getByRole("rowheader").allTextContents()).toEqual(["1", "2", "3", "4"]);
  });

  it("rounds count within their workflow, each under its name", async () => {
    await openAt(page, `/jobs/${workflowJobs.evaluating}`);
    const region = page.getByRole("region", { name: "Rounds" });
    const picker = region.getByRole("group", { name: "Round", exact: true });
    await region.getByRole("heading", { name: "cross-site-evaluation" }).waitFor();
    expect(await picker.textContent()).toContain("Round 5 of 7");
    await region.getByRole("button", { name: /^fedavg/ }).click();
    await region.getByRole("heading", { name: "fedavg" }).waitFor();
    expect(await picker.textContent()).toContain("Round 4 of 4");
    await picker.getByRole("button", { name: "Latest" }).click();
    expect(await picker.textContent()).toContain("Round 5 of 7");
    await page.getByText("The workflow fedavg ended: all 4 rounds are done").waitFor();
    await page.getByText("Round 1 of cross-site-evaluation closed without lakeside").waitFor();
    const receipts = page.getByRole("table", { name: "Receipts of the rounds, the newest first" });
    await receipts.getByRole("row", { name: /^Round 4 of cross-site-evaluation/ }).waitFor();
    await receipts.getByRole("row", { name: /^Round 4 of fedavg/ }).waitFor();
  });

  it("where sites take turns, nobody is missed whose turn it is not, and the turns before are there to compare", async () => {
    await openAt(page, `/jobs/${workflowJobs.cyclic}`);
    const region = page.getByRole("region", { name: "Rounds" });
    expect(await region.getByRole("group", { name: "Round", exact: true }).textContent()).toContain("Round 12 of 12");
    const rows = region.getByRole("table", { name: "Sites of the rounds up to round 12" }).locator("tbody tr");
    await expect.poll(() => rows.count()).toBe(5);
    const states = (await rows.locator("td:nth-child(3)").allTextContents()).map((text) => text.split("site/")[0]);
    expect(states).toEqual(["working", "answered", "answered", "failed", "answered"]);
    await region.getByRole("img", { name: /^Waterfall of rounds 8 to 12/ }).waitFor();
  });

  it("the overview says how far the workflow is that is under way", async () => {
    await openAt(page, "/");
    const job = page.getByRole("listitem").filter({ hasText: "tumour-segmentation-and-evaluation" });
    await expect.poll(() => job.textContent()).toContain("cross-site-evaluation: 4 of 7 rounds");
    await takePictures(page, "workflows-overview");
  });
});
