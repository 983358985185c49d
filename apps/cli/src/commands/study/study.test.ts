import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { writeAddOneJob } from "@flare-ts/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";
import { parseStudySites } from "./study-sites.js";

describe("studies, by one-shot commands", () => {
  let folder: FlareFolder;
  beforeAll(async () => {
    folder = await flareFolder({ FLARE_STUDY: "" });
    await folder.data("poc", "prepare", "-n", "2", "--port", String(await freePort()));
    await folder.data("poc", "start");
  });
  afterAll(async () => {
    await folder.run("poc", "clean", "--force");
    await folder.remove();
  });

  it("are registered, shown and listed; a job of one runs at its sites and is seen in it alone", async () => {
    const { sites: known } = (await folder.data("system", "status")) as { sites: { name: string; org: string }[] };
    const org = known[0]?.org ?? "";
    const lungs = await folder.data("study", "register", "lungs", "--site-org", `${org}:site-1,site-2`);
    expect(lungs).toMatchObject({ name: "lungs", sites: ["site-1", "site-2"], site_orgs: { [org]: ["site-1", "site-2"] } });
    expect(await folder.data("study", "show", "lungs")).toEqual(lungs);
    expect(await folder.data("study", "list")).toMatchObject({ studies: ["lungs"], study_details: [{ can_submit_job: true }] });
    const change = ["study", "remove-site", "lungs", "--site-org", `${org}:site-2`];
    expect(await folder.data(...change)).toMatchObject({ removed: ["site-2"], sites: ["site-1"] });

    const job = join(folder.path, "add-one");
    await writeAddOneJob({ folder: job, rounds: 1, minClients: 1 });
    const submitted = await folder.run("job", "submit", "-j", job, "--study", "lungs");
    const jobId = submitted.stdout.trim();
    expect(submitted.stderr).toContain(`flare job monitor ${jobId} --study lungs`);
    expect((await folder.run("job", "monitor", jobId, "--study", "lungs")).exitCode).toBe(0);
    expect(await folder.data("job", "list", "--study", "lungs")).toMatchObject([{ job_id: jobId, study: "lungs" }]);
    expect(await folder.data("system", "status", "--study", "lungs")).toMatchObject({ study: "lungs", sites: [{ name: "site-1" }] });
    expect(await folder.data("job", "list")).toEqual([]);
    expect((await folder.run("job", "download", jobId)).stderr).toContain("error job/not-found:");

    expect((await folder.run("study", "remove", "lungs", "--force")).stderr).toContain("error study/has-jobs:");
    await folder.data("job", "delete", jobId, "--force", "--study", "lungs");
    expect(await folder.data("study", "remove", "lungs", "--force")).toEqual({ name: "lungs", removed: true });
    const gone = await folder.run("job", "list", "--study", "lungs");
    expect(gone).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("error study/unknown:") as string });
  });
});

describe("sites on the command line", () => {
  it("are lists by organisation, or of the own one", () => {
    expect(parseStudySites({ sites: ["a, b", "c", "a"], siteOrgs: undefined })).toEqual({ sites: ["a", "b", "c"] });
    const groups = { sites: undefined, siteOrgs: ["x:a,b", "y:c", "x:d"] };
    expect(parseStudySites(groups)).toEqual({ siteOrgs: { x: ["a", "b", "d"], y: ["c"] } });
  });

  it.each([
    [{ sites: undefined, siteOrgs: undefined }],
    [{ sites: ["a"], siteOrgs: ["x:a"] }],
    [{ sites: undefined, siteOrgs: ["a"] }],
    [{ sites: undefined, siteOrgs: [":a"] }],
    [{ sites: undefined, siteOrgs: ["x:,"] }],
    [{ sites: ["a b"], siteOrgs: undefined }],
    [{ sites: undefined, siteOrgs: ["x:a b"] }],
    [{ sites: undefined, siteOrgs: ["x y:a"] }],
    [{ sites: ["a".repeat(64)], siteOrgs: undefined }],
  ])("are refused when nobody can tell what is meant: %j", (written) => {
    expect(() => parseStudySites(written)).toThrow(expect.objectContaining({ code: "study/wrong-arguments" }));
  });
});
