import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;

beforeAll(async () => {
  folder = await flareFolder();
  await folder.data("poc", "prepare", "-n", "1", "--port", String(await freePort()));
  await folder.data("poc", "start");
});
afterAll(async () => {
  await folder.run("poc", "stop");
  await folder.remove();
});

describe("flare console", () => {
  it("carries out lines under FLARE's names and under ours, and ends at bye", async () => {
    const { exitCode, stdout, stderr } = await folder.feed(
      [
        "# what is there",
        "check_status server",
        "",
        "list_jobs",
        "job list --format json > jobs.json",
        "info",
        "bye",
        "list_jobs",
        "",
      ].join("\n"),
      "console",
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^site-1 .*connected/m);
    expect(stdout.match(/^No jobs\.$/gm)).toHaveLength(1);
    expect(stdout).toMatch(/^admin {3}admin@nvidia\.com$/m);
    expect(JSON.parse(await readFile(join(folder.path, "jobs.json"), "utf8"))).toMatchObject({ status: "ok", data: [] });
  });

  it("restarts, shuts out and lets in under FLARE's names", async () => {
    const script = [
      "configure_site_log client site-1 WARNING",
      "report_version client site-1",
      "report_resources client site-1",
      "disable_client site-1 --force --reason why",
      "check_status client",
      "enable_client site-1 --force",
      "restart server --force",
    ].join("\n");
    const { exitCode, stdout, stderr } = await folder.feed(script, "console");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^site-1: warn$/m);
    expect(stdout).toMatch(/^site-1 +\S+ +v\d+/m);
    expect(stdout).toMatch(/^site-1 .*disabled .*disabled by admin@nvidia.com: why$/m);
    expect(stdout).toMatch(/^site-1 is enabled, and comes back by itself\.$/m);
    expect(stdout).toMatch(/^server: restarted$/m);
  });

  it("says what a command takes, and lists all", async () => {
    const { stdout } = await folder.feed("help\nhelp submit_job\n", "console");
    expect(stdout).toMatch(/^abort_job +<job id> +end a job$/m);
    expect(stdout).toContain("Usage: flare job submit");
  });

  it.each([
    ["list_job", "There is no command 'list_job'; did you mean 'list_jobs'?"],
    ["restart everything", "'everything' is none of server, client and all"],
    ["remove_client site-1", "There is no remove_client here: 'restart client <site>' has a site register anew"],
    ["download_job", "download_job lacks what it is for; 'help download_job' says what it takes."],
    ["check_status site-1", "check_status takes 'server' or 'client'."],
    ["console", "This is the console."],
    ["list_jobs > /nowhere/jobs", "/nowhere/jobs cannot be written"],
  ])("stops at the line %j of a script, and says what is wrong with it", async (line, message) => {
    const { exitCode, stdout, stderr } = await folder.feed(`lpwd\n${line}\nlist_jobs\n`, "console");
    expect(stderr).toContain(message);
    expect(stderr).toContain(`error cli/console-line: Line 2 has failed with exit status ${line.includes(">") ? 1 : 4}: ${line}`);
    expect(stdout).toBe(`${folder.path}\n`);
    expect(exitCode).toBe(1);
  });
});
