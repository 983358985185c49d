import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { archiveFolder, extractArchive, kitLimits, packageKit, requestCertificate } from "@flare-ts/provision";
import { freePort, startDaemon, stopDaemon } from "@flare-ts/runtime";
import { writeAddOneJob } from "@flare-ts/testing";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { artefacts, lackedChromium, launchChromium, openPage, takePictures } from "./chromium.test-support.js";
import { openAt } from "./faults.test-support.js";
import { goodPassword, type PageDashboard, setUpDashboard, startPageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const program = fileURLToPath(new URL("./federation/participant-program.js", import.meta.resolve("@flare-ts/testing")));
const started: string[] = [];
/** Other work on the machine may slow a page down. */
const soon = { timeout: 20_000 };
let browser: Browser;
let dashboard: PageDashboard;

beforeAll(async () => {
  if (lacked !== "") return;
  browser = await launchChromium({ isWhole: true });
  dashboard = await startPageDashboard();
});

afterAll(async () => {
  for (const kitDir of started.toReversed()) await stopDaemon(kitDir, { timeoutMs: 20_000 });
  await browser?.close();
  await dashboard?.stop();
});

it.skipIf(lacked !== "")(
  `from nothing to a federation that trains, in the browser alone${lacked}`,
  async ({ onTestFailed }) => {
    const { url } = dashboard.running;
    const files = join(dashboard.folder, "files");
    await mkdir(files);
    const ada = await openPage(browser, url);
    const bo = await openPage(browser, url);
    const dan = await openPage(browser, url);

    onTestFailed(async () => {
      await Promise.all([ada, bo, dan].map(({ page }, index) => page.screenshot({ path: join(artefacts, `failed-${index}.png`) })));
    });

    await setUpDashboard(ada.page, dashboard);
    await takePictures(ada.page, "overview-first");
    await describeProject(ada.page, await freePort());
    const links = [
      await invite(ada.page, "bo@north.org", "north", "Organisation admin"),
      await invite(ada.page, "dan@university.org", "university", "Lead"),
    ];
    await signUp(bo.page, links[0] ?? "", "Bo Keller");
    await signUp(dan.page, links[1] ?? "", "Dan Okafor");
    await takePictures(bo.page, "waiting");
    await approvePeople(ada.page, 2);

    // Their page opens by itself, perhaps at this moment, or when they look again.
    for (const { page } of [bo, dan]) {
      const look = page.getByRole("button", { name: "Look again" });
      if (await look.isVisible()) await look.click({ timeout: 5_000 }).catch(() => undefined);
      await page.getByRole("heading", { name: "Almost there" }).waitFor({ state: "hidden" });
    }
    for (const site of ["north-1", "north-2"]) await addSite(bo.page, site);
    await approveSites(ada.page, 2);

    const made = await issueKit(bo.page, "/sites/north-1", files);
    const requested = await requestKit(bo.page, "north-2", files);
    const server = await issueKit(ada.page, "/kits", files);
    for (const kit of [server, made, requested]) {
      await startDaemon({ kitDir: kit, command: { node: process.execPath, cli: program } });
      started.push(kit);
    }
    await ada.page.goto("/sites");
    await expect.poll(() => ada.page.getByText("connected", { exact: true }).count(), { timeout: 40_000 }).toBe(2);
    await takePictures(ada.page, "sites");

    await submitJob(dan.page, files);
    await dan.page.getByRole("heading", { level: 1, name: "add-one" }).waitFor();
    const round = dan.page.getByRole("group", { name: "Round" });
    await expect.poll(() => round.textContent(), { timeout: 40_000 }).toMatch(/Round \d+ of 12/);
    const seen = await pictureOfCurve(dan.page);
    await expect.poll(() => pictureOfCurve(dan.page), { timeout: 20_000 }).not.toBe(seen);
    await takePictures(dan.page, "job-live");
    await ada.page.goto("/");
    await ada.page.getByRole("region", { name: "Jobs" }).waitFor();
    await takePictures(ada.page, "overview-running");
    await dan.page.getByText("completed", { exact: true }).waitFor({ timeout: 60_000 });
    await takePictures(dan.page, "job-done");
    const [download] = await Promise.all([
      dan.page.waitForEvent("download"),
      dan.page.getByRole("link", { name: "Download result" }).click(),
    ]);
    const result = join(files, "result.zip");
    await download.saveAs(result);
    expect((await stat(result)).size).toBeGreaterThan(100);

    await pictureAll(ada.page);
    expect([...ada.offences, ...bo.offences, ...dan.offences]).toEqual([]);
  },
  600_000,
);

async function describeProject(page: Page, port: number): Promise<void> {
  await page.goto("/project");
  const about = page.getByRole("region", { name: "About" });
  await about.getByLabel("Title").fill("Breast cancer study");
  await about.getByLabel("Name").fill("breast_study");
  await about.getByRole("button", { name: "Save" }).click();
  await expect.poll(() => page.getByText("Breast cancer study").count(), soon).toBeGreaterThan(0);
  const server = page.getByRole("region", { name: "Server" });
  await server.getByLabel("Host").fill("localhost");
  await server.getByLabel("Port").fill(String(port));
  await server.getByRole("button", { name: "Save" }).click();
  const questions = page.getByRole("region", { name: "What sites fill in" });
  await questions.getByRole("button", { name: "Add a question" }).click();
  await questions.getByLabel("Key").fill("patients");
  await questions.getByLabel("Question", { exact: true }).fill("Number of patients");
  await questions.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Freeze project" }).click({ trial: true, timeout: 10_000 });
  await takePictures(page, "project-draft");
  await page.getByRole("button", { name: "Freeze project" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Passphrase", { exact: true }).fill("a passphrase of this test");
  await dialog.getByLabel("Once more", { exact: true }).fill("a passphrase of this test");
  await dialog.getByRole("button", { name: "Freeze project" }).click();
  await page.getByText("unlocked", { exact: true }).waitFor({ timeout: 20_000 });
}

async function invite(page: Page, email: string, organization: string, role: string): Promise<string> {
  await page.goto("/invitations?new");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail address").fill(email);
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: role }).click();
  await dialog.getByLabel("Organisation", { exact: true }).fill(organization);
  await dialog.getByRole("button", { name: "Make link" }).click();
  const link = await dialog.locator("code").textContent();
  await takePictures(page, "invite");
  await dialog.getByRole("button", { name: "Done" }).click();
  return link ?? "";
}

async function signUp(page: Page, link: string, name: string): Promise<void> {
  await page.goto(link);
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(goodPassword);
  await takePictures(page, "sign-up");
  await page.getByRole("button", { name: "Create my account" }).click();
  await page.getByRole("heading", { name: "Almost there" }).waitFor();
}

async function approvePeople(page: Page, count: number): Promise<void> {
  await page.goto("/people");
  const buttons = page.getByRole("button", { name: "Approve" });
  await expect.poll(() => buttons.count(), soon).toBe(count);
  await takePictures(page, "people");
  for (let left = count; left > 0; left--) {
    await buttons.first().click();
    await expect.poll(() => buttons.count(), soon).toBe(left - 1);
  }
}

async function addSite(page: Page, name: string): Promise<void> {
  await page.goto("/sites?new");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("Description").fill("Radiology, second floor");
  await dialog.getByLabel("Number of patients").fill("4200");
  await takePictures(page, "add-site");
  await dialog.getByRole("button", { name: "Add site" }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

async function approveSites(page: Page, count: number): Promise<void> {
  await page.goto("/sites");
  const buttons = page.getByRole("button", { name: "Approve" });
  await expect.poll(() => buttons.count(), soon).toBe(count);
  for (let left = count; left > 0; left--) {
    await buttons.first().click();
    await expect.poll(() => buttons.count(), soon).toBe(left - 1);
  }
}

/** Issues the first kit that a page offers, and gives the folder that its archive holds. */
async function issueKit(page: Page, path: string, files: string): Promise<string> {
  await page.goto(path);
  await page.getByRole("button", { name: "Issue kit" }).first().click();
  const dialog = page.getByRole("dialog");
  const passphrase = (await dialog.locator("code").first().textContent()) ?? "";
  await takePictures(page, path === "/kits" ? "new-kit-server" : "new-kit");
  const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("link", { name: "Download" }).click()]);
  const archive = join(files, download.suggestedFilename());
  await download.saveAs(archive);
  const dir = archive.replace(/\.zip$/, "");
  await extractArchive({ file: archive, dir, passphrase, limits: kitLimits, privateKeys: "allowed" });
  const name = path === "/kits" ? "localhost" : (path.split("/").at(-1) ?? "");
  return stat(join(dir, name)).then(
    () => join(dir, name),
    () => dir,
  );
}

/** Asks for a certificate with a key that stays in the site's folder, and gives the kit that the answer makes there. */
async function requestKit(page: Page, site: string, files: string): Promise<string> {
  await openAt(page, `/sites/${site}`);
  const [participant] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "participant.yaml" }).click()]);
  const home = join(files, "home");
  const participantFile = join(files, "participant.yaml");
  await participant.saveAs(participantFile);
  const requestDir = join(files, "request");
  await requestCertificate({ participantFile, dir: requestDir, home });
  await page.locator('input[type="file"]').setInputFiles(join(requestDir, `${site}.request.zip`));
  await page.getByText("made by the participant").waitFor({ timeout: 20_000 });
  await takePictures(page, "site");
  const [answer] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  const archive = join(requestDir, answer.suggestedFilename());
  await answer.saveAs(archive);
  const { dir } = await packageKit({ archive, workspace: join(files, "workspace"), requestDir, home });
  return dir;
}

async function submitJob(page: Page, files: string): Promise<void> {
  const folder = join(files, "add-one");
  await writeAddOneJob({ folder, rounds: 12, minClients: 2, trainMs: 700 });
  const archive = join(files, "add-one.zip");
  await archiveFolder({ dir: folder, file: archive, modified: new Date() });
  await page.goto("/jobs?new");
  const dialog = page.getByRole("dialog");
  await takePictures(page, "submit-job");
  await dialog.getByRole("tab", { name: "Upload a job" }).click();
  await page.locator('input[type="file"]').setInputFiles(archive);
  await dialog.getByRole("button", { name: "Submit job" }).click();
}

/** What is drawn, read at one moment: the plot itself is another one when a site's first value adds a curve. */
function pictureOfCurve(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.querySelector("canvas")?.toDataURL());
}

async function pictureAll(page: Page): Promise<void> {
  for (const path of ["project", "invitations", "people", "kits", "jobs", "audit", "profile"]) {
    await openAt(page, `/${path}`);
    await takePictures(page, path);
  }
}
