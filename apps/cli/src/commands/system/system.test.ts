import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { dataHere, runHere } from "../../flare-here.test-support.js";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
const kit = (name: string): string => join(folder.path, "poc", "example_project", "prod_00", name);

beforeAll(async () => {
  folder = await flareFolder();
  await folder.data("poc", "prepare", "-n", "2", "--port", String(await freePort()));
  await folder.data("poc", "start");
});
afterAll(async () => {
  await folder.run("poc", "stop");
  await folder.remove();
});

describe("flare system", () => {
  it("shows resources and versions, of all or of some", async () => {
    expect(await folder.data("system", "resources")).toMatchObject([
      { name: "server", kind: "server", resources: { gpus: null, cpus_for_jobs: null, memory_for_jobs: null } },
      { name: "site-1", kind: "client", outcome: "told", resources: { gpus: { offered: 0, free: 0 } } },
      { name: "site-2" },
    ]);
    expect(await dataHere(folder, "system", "version", "--site", "site-2")).toMatchObject({
      compatible: true,
      mismatched_sites: [],
      sites: [{ site: "site-2", node: process.version }],
    });
    expect((await runHere(folder, "system", "resources", "client", "site-1")).stdout).toMatch(/^site-1 +\S+ \S+ +\d+ +\d/m);
  });

  it("shows the status of some, or of the server alone", async () => {
    expect(await folder.data("system", "status", "client", "site-2")).toMatchObject({ sites: [{ name: "site-2" }] });
    expect((await runHere(folder, "system", "status", "server")).stdout).not.toContain("site-");
    expect(await runHere(folder, "system", "status", "client", "nobody")).toMatchObject({ exitCode: 1 });
  });

  it("changes what processes log, by FLARE's words too", async () => {
    expect(await folder.data("system", "log-config", "WARNING", "--site", "server,site-1")).toMatchObject([
      { name: "server", level: "warn" },
      { name: "site-1", level: "warn" },
    ]);
    expect((await runHere(folder, "system", "log-config", "reload")).stdout).toBe("server: info\nsite-1: info\nsite-2: info\n");
    expect(await runHere(folder, "system", "log-config", "concise")).toMatchObject({ exitCode: 4 });
  });

  it.each([
    ["shutdown", "all"],
    ["restart", "client", "site-1"],
    ["disable-client", "site-1"],
    ["enable-client", "site-1"],
  ])("does nothing unasked: %s %s", async (...words) => {
    const { exitCode, stderr } = await runHere(folder, "system", ...words);
    expect(stderr).toContain("needs --force where nobody can be asked");
    expect(exitCode).toBe(4);
  });

  it.each([
    [["site-1"], "names of sites come after 'client'"],
    [["server", "site-1"], "Names of sites come after 'client', not after 'server'"],
    [["client", "--timeout", "601"], "Seconds are at most 600 here"],
  ])("finds a mistake in shutdown %j", async (words, message) => {
    const { exitCode, stderr } = await runHere(folder, "system", "shutdown", ...words, "--force");
    expect(stderr).toContain(message);
    expect(exitCode).toBe(4);
  });

  it("disables and enables, and says of each site what became of it", async () => {
    expect(await folder.data("system", "disable-client", "site-2", "typo", "--reason", "why", "--force")).toEqual({
      sites: [
        { name: "site-2", kind: "client", outcome: "disabled", was_disabled: false, is_known: true, left_jobs: [] },
        { name: "typo", kind: "client", outcome: "disabled", was_disabled: false, is_known: false, left_jobs: [] },
      ],
    });
    expect(await dataHere(folder, "system", "status")).toMatchObject({
      sites: [{ name: "site-1" }, { name: "site-2", state: "disabled" }, { name: "typo", state: "disabled" }],
    });
    const { exitCode, stdout } = await runHere(folder, "system", "enable-client", "site-2", "typo", "site-1", "--force");
    expect(stdout).toBe(
      "site-2 is enabled, and comes back by itself.\ntypo is enabled, and comes back by itself.\nsite-1 was not disabled.\n",
    );
    expect(exitCode).toBe(0);
    await isConnected("site-2");
  }, 30_000);

  it("names those that did not do it, and does what it can with the others", async () => {
    const { exitCode, stdout } = await folder.run("system", "restart", "client", "site-1", "nobody", "--force", "--format", "json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error_code: "cli/not-everywhere",
      facts: {
        outcomes: [
          { name: "nobody", outcome: "failed", error_code: "runtime/site-unknown" },
          { name: "site-1", outcome: "restarted" },
        ],
      },
    });
  });

  it("leaves a site that was started by hand and would not be started again; it ends where it may", async () => {
    await folder.data("client", "stop", kit("site-2"));
    const byHand = folder.start("client", "start", kit("site-2"));
    await byHand.printed(/is connected/);
    expect(await runHere(folder, "system", "restart", "client", "site-2", "--force")).toMatchObject({ exitCode: 1 });
    expect((await folder.run("system", "shutdown", "client", "site-2", "--force")).stdout).toBe("site-2: ended\n");
    expect(await byHand.finished).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("was shut down, as admin@nvidia.com says") as string,
    });
  }, 30_000);

  it("has a process in a container that was shut down wait for its operator, and one that restarts end with 75", async () => {
    const contained = await flareFolder({ FLARE_WATCHED: "always" });
    try {
      const first = contained.start("client", "start", kit("site-2"));
      await first.printed(/is connected/);
      const { exitCode } = await folder.run("system", "restart", "client", "site-2", "--force", "--no-wait");
      expect(exitCode).toBe(0);
      expect(await first.finished).toMatchObject({ exitCode: 75 });
      const second = contained.start("client", "start", kit("site-2"));
      await second.printed(/is connected/);
      await folder.data("system", "shutdown", "client", "site-2", "--force");
      await second.printed(/It waits, doing nothing/);
      expect(second.child.exitCode).toBeNull();
      second.child.kill("SIGTERM");
      expect(await second.finished).toMatchObject({ exitCode: 0 });
    } finally {
      await contained.remove();
    }
  }, 30_000);

  it("shuts down what is there, and says what was not told", async () => {
    const { exitCode, stdout, stderr } = await folder.run("system", "shutdown", "all", "--force");
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: "site-1: ended\nserver: ended\n",
      stderr: "Not connected, and so not told: site-2.\n",
    });
    await vi.waitFor(
      async () => expect(await dataHere(folder, "poc", "status")).toMatchObject({ services: [stopped, stopped, stopped] }),
      10_000,
    );
    expect((await runHere(folder, "client", "status", kit("site-1"))).stdout).toMatch(
      /^The site does not run\.\nadmin@nvidia\.com had it shut down on 2/,
    );
  });
});

const stopped = { state: "stopped" };

async function isConnected(site: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const { sites } = (await dataHere(folder, "system", "status")) as {
        readonly sites: readonly { readonly name: string; readonly state: string }[];
      };
      expect(sites.find(({ name }) => name === site)?.state).toBe("connected");
    },
    { timeout: 20_000, interval: 200 },
  );
}
