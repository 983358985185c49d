import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf } from "./process-tree.js";

const example = fileURLToPath(new URL("../../../../examples/psi/job", import.meta.url));
const sites = ["hospital-a", "hospital-b", "hospital-c"];
const careful = "hospital-c";
const python = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import sys"]).status === 0,
);

/** Each site leaves out others of some thousand identifiers. */
const itemsOf = (site: string): readonly string[] =>
  Array.from({ length: 2000 }, (_, i) => i).flatMap((i) => (i % (sites.indexOf(site) + 3) === 0 ? [] : [`P-${i}`]));
const common = sites
  .map(itemsOf)
  .reduce((both, items) => both.filter((item) => items.includes(item)))
  .toSorted();

describe("an intersection of the identifiers of three hospitals", () => {
  let federation: Federation;
  let folder: string;

  beforeAll(async () => {
    if (python !== undefined) process.env["FLARE_PYTHON"] = python;
    folder = await mkdtemp(join(tmpdir(), "flare-psi-"));
    federation = await createFederation({ sites });
    const scopes = [
      { name: "open" },
      { name: "linkage", task_result_filters: [{ name: "AllowPsi" }] },
      { name: "shown", task_result_filters: [{ name: "AllowPsi", args: { show_sizes: true } }] },
      { name: "few", task_result_filters: [{ name: "AllowPsi", args: { max_items: 1000 } }] },
      { name: "training", task_result_filters: [{ name: "ClipNorm", args: { max_norm: 1 } }] },
    ];
    for (const site of sites) {
      const data = join(folder, `${site}.csv`);
      await writeFile(
        data,
        `age,patient_id\n${itemsOf(site)
          .map((item) => `40,${item}\n`)
          .join("")}`,
      );
      const resources = { format_version: 2, components: [], datasets: { patients: data } };
      await writeFile(join(federation.kitOf(site), "local", "resources.json"), JSON.stringify(resources));
      const shown = { name: "AllowPsi", args: { show_sizes: true } };
      const own = site === careful ? scopes : scopes.map(({ name }) => ({ name, task_result_filters: [shown] }));
      await writeFile(join(federation.kitOf(site), "local", "privacy.json"), JSON.stringify({ scopes: own }));
    }
    await federation.startAll();
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("is at each site, for its operator alone, and nothing that it came of is left there", async () => {
    const { jobId, entries } = await run("tables", "linkage");
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED", reason: "intersection of 3 sites" });
    for (const site of sites) {
      const path = resultOf(site, jobId);
      expect(linesIn(await readFile(path, "utf8")), `at ${site}`).toEqual(common);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const left = await eventually("the job's state is gone", async () => {
        const names = await readdir(join(federation.kitOf(site), jobId), { recursive: true });
        return names.some((name) => name.includes("psi.key") || name.includes("psi.items")) ? undefined : names;
      });
      expect(left.length).toBeGreaterThan(0);
    }
    const sizes = entries.flatMap(({ event }) =>
      event.type === "update-accepted" && event.round === 5 ? [[event.site, event.metrics]] : [],
    );
    expect(Object.fromEntries(sizes)).toEqual({
      "hospital-a": { psi_items: itemsOf("hospital-a").length, psi_intersection: common.length },
      "hospital-b": { psi_items: itemsOf("hospital-b").length, psi_intersection: common.length },
      // Its policy shows none.
      [careful]: {},
    });
  });

  it("is the same whatever is killed while it is made", async () => {
    const killed: string[] = [];
    const { jobId, entries } = await run("killed", "linkage", async ({ event }) => {
      if (event.type !== "round-opened") return;
      const below = (name: string, part: string) =>
        descendantsOf(federation.pidOf(name) ?? 0).find(({ commandLine }) => commandLine.includes(part));
      const kill = (what: string, pid: number | undefined): void => {
        if (pid === undefined) return;
        process.kill(pid, "SIGKILL");
        killed.push(what);
      };
      if (event.round === 1) kill("a site", federation.pidOf("hospital-a"));
      if (event.round === 2) {
        const program = await eventually("the site's program runs", () => below("hospital-b", "psi-main"));
        kill("a program", program.pid);
      }
      if (event.round === 3) kill("the server", federation.pidOf("server"));
      if (event.round === 4) kill("the job's process", below("server", "server-job-main")?.pid);
      if (event.round === 5) kill("another site", federation.pidOf(careful));
    });
    expect(killed.length).toBeGreaterThanOrEqual(4);
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED", reason: "intersection of 3 sites" });
    for (const site of sites) expect(linesIn(await readFile(resultOf(site, jobId), "utf8")), `at ${site}`).toEqual(common);
  });

  it.each([
    ["has no filter", "open", /has no AllowPsi/],
    ["was made for training", "training", /has no AllowPsi/],
    ["lets fewer identifiers out", "few", /lets 1000 identifiers out, and these are 1600/],
  ])("is none where the scope of a site with a policy %s", async (_, scope, message) => {
    const { entries } = await run(`held-back-${scope}`, scope);
    const failed = entries.flatMap(({ event }) => (event.type === "task-failed" ? [event] : []));
    expect(failed.map(({ site, round, error }) => [site, round, error.code])).toEqual([[careful, 0, "privacy/psi-held-back"]]);
    expect(failed[0]?.error.message).toMatch(message);
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:EXECUTION_EXCEPTION" });
  });

  it("is the same where a script in TypeScript has the identifiers", async () => {
    const script = `import { readFileSync, writeFileSync } from "node:fs";
import * as flare from "@flare-ts/runtime/client";

await flare.init();
await flare.servePsi({
  loadItems: () => readFileSync(flare.systemInfo().datasets["patients"], "utf8").trim().split("\\n").slice(1).map((row: string) => row.split(",")[1]!),
  saveIntersection: (items) => writeFileSync("../../found.txt", items.join("\\n")),
});
`;
    const { jobId, entries } = await run("typescript", "shown", undefined, async (job) => {
      const executor = { path: "ClientAPIExecutor", args: { task_script_path: "psi.ts" } };
      const client = { format_version: 2, executors: [{ tasks: ["PSI"], executor }] };
      await writeFile(join(job, "app", "config", "config_fed_client.json"), JSON.stringify(client));
      await mkdir(join(job, "app", "custom"));
      await writeFile(join(job, "app", "custom", "psi.ts"), script);
    });
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED" });
    for (const site of sites) {
      expect(linesIn(await readFile(join(federation.kitOf(site), jobId, "found.txt"), "utf8"))).toEqual(common);
    }
    const last = entries.flatMap(({ event }) =>
      event.type === "round-closed" && event.round === 5 ? [event.metrics["psi_intersection"]] : [],
    );
    expect(last).toEqual([common.length]);
  });

  it.skipIf(python === undefined)("is the same where a class that was written for FLARE has them (Debian package python3)", async () => {
    const local = `from nvflare.app_common.psi.psi_spec import PSI


class LocalPSI(PSI):
    def __init__(self, psi_writer_id: str, id_col: int):
        super().__init__(psi_writer_id)
        self.id_col = id_col

    def load_items(self):
        with open(self.fl_ctx.datasets["patients"]) as file:
            return [row.strip().split(",")[self.id_col] for row in file.readlines()[1:]]
`;
    const { jobId, entries } = await run("python", "linkage", undefined, async (job) => {
      const config = join(job, "app", "config", "config_fed_client.json");
      const client = JSON.parse(await readFile(config, "utf8")) as { components: { id: string; path: string; args: object }[] };
      const components = client.components.map((one) =>
        one.id === "patients" ? { ...one, path: "local_psi.LocalPSI", args: { psi_writer_id: "writer", id_col: 1 } } : one,
      );
      await writeFile(config, JSON.stringify({ ...client, components }));
      await mkdir(join(job, "app", "custom"));
      await writeFile(join(job, "app", "custom", "local_psi.py"), local);
    });
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED" });
    for (const site of sites) expect(linesIn(await readFile(resultOf(site, jobId), "utf8")), `at ${site}`).toEqual(common);
  });

  it("is none where a table lacks the column, and the last line of each program says so", async () => {
    const { jobId, entries } = await run("misspelt", "linkage", undefined, async (job) => {
      const config = join(job, "app", "config", "config_fed_client.json");
      await writeFile(config, (await readFile(config, "utf8")).replace('"patient_id"', '"patientid"'));
    });
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:EXECUTION_EXCEPTION" });
    for (const site of sites) {
      const said = linesIn(await readFile(join(federation.kitOf(site), jobId, "trainer.log"), "utf8"));
      expect(said.at(-1), `at ${site}`).toMatch(/^error client-api\/dataset-missing: The data set 'patients' has no column 'patientid'/);
      expect(said.filter((line) => /^\s+at /.test(line))).toEqual([]);
    }
  });

  function resultOf(site: string, jobId: string): string {
    return join(federation.kitOf(site), jobId, site, "psi", "intersection.txt");
  }

  /** Runs the example's job for a scope of the careful site, and gives its journal. */
  async function run(
    name: string,
    scope: string,
    onEntry: (entry: JournalEntry) => Promise<void> = () => Promise.resolve(),
    change: (job: string) => Promise<void> = () => Promise.resolve(),
  ) {
    const job = join(folder, name);
    await cp(example, job, { recursive: true });
    const meta = JSON.parse(await readFile(join(job, "meta.json"), "utf8")) as Record<string, unknown>;
    await writeFile(join(job, "meta.json"), JSON.stringify({ ...meta, scope }));
    await change(job);
    const submitting = await federation.admin();
    const { jobId } = await submitting.submitJob(job);
    submitting.close();
    return { jobId, entries: await followJob(federation, jobId, onEntry) };
  }
});

function linesIn(text: string): readonly string[] {
  return text.trim().split("\n");
}
