import { createSite, getProject, getSession, getSite, updateProject, updateSite } from "@flare-ts/dashboard-api/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { lackedChromium, takePictures, type WatchedPage } from "./chromium.test-support.js";
import { openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { clientOf } from "./staged-project.test-support.js";
import type { PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const soon = { timeout: 20_000 };
let dashboard: PageDashboard;
let admin: WatchedPage;

describe.skipIf(lacked !== "")(`a form that two fill at once${lacked}`, () => {
  beforeEach(async () => {
    const started = await openSetUpPage();
    ({ dashboard, admin } = started);
    return started.stop;
  });

  const signedIn = async () => {
    const api = clientOf(admin.context, dashboard.running.url);
    await api.call(getSession);
    return api;
  };

  it("keeps what was typed about a site, follows in fields that nobody typed into, and asks where both changed one", async () => {
    const { page, offences } = admin;
    const api = await signedIn();
    const { id } = await api.call(createSite, { body: { name: "north-1", description: "first" } });
    const params = { id };
    await openAt(page, "/sites/north-1");
    const form = page.getByRole("region", { name: "Information" });
    await form.getByLabel("Description").fill("What I typed");
    await api.call(updateSite, { params, body: { description: "What they saved", capacity: { gpus: 4, memPerGpuGiB: 0 } } });
    await form.getByText("Ada Lind changed this in the meantime").waitFor();
    await takePictures(page, "clash");
    expect(await form.getByLabel("Description").inputValue()).toBe("What I typed");
    expect(await form.getByRole("alert").textContent()).toContain("Description: What they saved");
    // Undecided, it is not saved over the other.
    const refused = page.waitForResponse((response) => response.request().method() === "PATCH");
    await form.getByRole("button", { name: "Save" }).click();
    expect((await refused).status()).toBe(409);
    expect(await api.call(getSite, { params })).toMatchObject({ description: "What they saved" });
    await form.getByRole("button", { name: "Keep what I typed" }).click();
    expect(await form.getByLabel("GPUs").inputValue()).toBe("4");
    await form.getByRole("button", { name: "Save" }).click();
    await expect
      .poll(async () => await api.call(getSite, { params }), soon)
      .toMatchObject({
        description: "What I typed",
        capacity: { gpus: 4 },
      });
    await form.getByRole("alert").waitFor({ state: "hidden" });
    expect(offences).toEqual([]);
  });

  it("says who was first where the page has not heard of it, and shows what is saved beside what was typed", async () => {
    const { page, offences } = admin;
    const api = await signedIn();
    const { id } = await api.call(createSite, { body: { name: "north-1" } });
    const params = { id };
    // As on a line on which events come late.
    await page.route("**/api/v1/events*", (route) => route.abort());
    await openAt(page, "/sites/north-1");
    const form = page.getByRole("region", { name: "Information" });
    await form.getByLabel("Description").fill("What I typed");
    await api.call(updateSite, { params, body: { capacity: { gpus: 4, memPerGpuGiB: 0 } } });
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText("Ada Lind changed 'north-1' in the meantime").waitFor();
    await expect.poll(() => form.getByLabel("GPUs").inputValue(), soon).toBe("4");
    expect(await form.getByLabel("Description").inputValue()).toBe("What I typed");
    await form.getByRole("button", { name: "Save" }).click();
    await expect
      .poll(async () => await api.call(getSite, { params }), soon)
      .toMatchObject({
        description: "What I typed",
        capacity: { gpus: 4 },
      });
    // Once more at once: what was saved by this page is no clash, however the dashboard writes it.
    await form.getByLabel("Description").fill("With a space at its end ");
    await form.getByRole("button", { name: "Save" }).click();
    await expect.poll(async () => (await api.call(getSite, { params })).description, soon).toBe("With a space at its end");
    await expect.poll(() => form.getByLabel("Description").inputValue(), soon).toBe("With a space at its end");
    expect(await form.getByRole("alert").count()).toBe(0);
    expect(offences.filter((line) => !line.includes("ERR_FAILED"))).toEqual([]);
  });

  it("keeps what was typed into a part of the project that another admin saves", async () => {
    const { page, offences } = admin;
    const api = await signedIn();
    await openAt(page, "/project");
    const about = page.getByRole("region", { name: "About" });
    await about.getByLabel("Title").fill("A title that took long to find");
    await api.call(updateProject, { body: { title: "Theirs", description: "Theirs too" } });
    await about.getByText("Ada Lind changed this in the meantime").waitFor();
    expect(await about.getByLabel("Title").inputValue()).toBe("A title that took long to find");
    await about.getByRole("button", { name: "Take theirs" }).click();
    expect(await about.getByLabel("Title").inputValue()).toBe("Theirs");
    expect(await about.getByLabel("Description").inputValue()).toBe("Theirs too");
    await about.getByLabel("Name").fill("lungs");
    await about.getByRole("button", { name: "Save" }).click();
    await expect.poll(async () => await api.call(getProject), soon).toMatchObject({ name: "lungs", title: "Theirs" });
    expect(offences).toEqual([]);
  });
});
