import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobEvent } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

const secret = "s3cret-of-the-hub-7f21";
let federation: Federation;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-still-"));
  federation = await createFederation({ sites: ["site-1", "site-2", "site-3"] });
  await writeFile(join(folder, "token"), `${secret}\n`);
  await configure("server", { stall_timeout: 3 });
  for (const site of ["site-1", "site-2"]) await configure(site, { secrets: { hub: { from_file: join(folder, "token") } } });
  await federation.startAll();
});

afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** Adds settings to local/resources.json of a participant. */
async function configure(name: string, settings: object): Promise<void> {
  const local = join(federation.kitOf(name), "local");
  const defaults = JSON.parse(await readFile(join(local, "resources.json.default"), "utf8")) as object;
  await writeFile(join(local, "resources.json"), JSON.stringify({ ...defaults, ...settings }));
}

async function run(
  init: Omit<Parameters<typeof writeAddOneJob>[0], "folder" | "rounds">,
  onEvent: (event: JobEvent) => void | Promise<void> = () => undefined,
): Promise<JobEvent[]> {
  const job = await mkdtemp(join(folder, "job-"));
  await writeAddOneJob({ folder: job, rounds: 1, minClients: 2, ...init });
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(job);
  admin.close();
  return (await followJob(federation, jobId, ({ event }) => onEvent(event))).map(({ event }) => event);
}

describe("a site that stands still", () => {
  it("is named with what it does when a round passes its deadline without it", async () => {
    const events = await run({ silentSite: "site-3", args: { min_clients: 2, train_timeout: 2 } });
    const passed = events.find((event) => event.type === "deadline-passed");
    const why = expect.stringMatching(/^(waiting|downloading|training)/) as string;
    expect(passed).toMatchObject({ late: expect.arrayContaining([{ site: "site-3", why }]) as object });
    expect(events.at(-1)).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
  });

  it("is given up when it was away for the stall time, and the round goes on with the others", async () => {
    const events = await run({ silentSite: "site-3", args: { min_clients: 2, train_timeout: 600 } }, async (event) => {
      if (event.type === "round-opened") await federation.stop("site-3");
    });
    await federation.start("site-3");
    const failed = events.find((event) => event.type === "task-failed");
    expect(failed).toMatchObject({ site: "site-3", error: { code: "runtime/task-stalled", facts: { site: "site-3" } } });
    expect(failed?.error.message).toMatch(/The task of site-3 has not moved since \d{4}-.*: disconnected since \d{4}-/);
    expect(events.find((event) => event.type === "round-closed")).toMatchObject({
      contributors: ["site-1", "site-2"],
      missing: ["site-3"],
    });
  });
});

describe("a secret of a site", () => {
  it("reaches the trainer and nothing else, and a site that lacks it says which one", async () => {
    const token = { from_secret: "hub" };
    const events = await run({
      failingSite: "site-2",
      args: { min_clients: 1 },
      executorArgs: { env: { HUB_TOKEN: token }, max_restarts: 0 },
    });
    const failures = events.filter((event) => event.type === "task-failed").map(({ site, error }) => [site, error.code]);
    expect(failures.toSorted(([one = ""], [other = ""]) => (one < other ? -1 : 1))).toEqual([
      ["site-2", "client-api/trainer-died"],
      ["site-3", "client-api/secret-missing"],
    ]);
    expect(JSON.stringify(events)).toContain("The job needs the secret 'hub'");
    expect(events.at(-1)).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    expect(await filesWith(federation.folder, secret)).toEqual([]);
  });
});

/** Files below a folder that hold a text; a file or a folder that goes meanwhile is none. */
async function filesWith(root: string, text: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(root, entry.name);
      if (entry.isDirectory()) return await filesWith(path, text);
      const isHolder = entry.isFile() && (await readFile(path).catch(() => "")).includes(text);
      return isHolder ? [path] : [];
    }),
  );
  return found.flat();
}
