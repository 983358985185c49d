import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type JournalEntry,
  type StatisticName,
  type StatisticsBin,
  type StatisticsResult,
  statisticsByGroup,
} from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf } from "./process-tree.js";

const examples = fileURLToPath(new URL("../../../../examples", import.meta.url));
const example = join(examples, "statistics", "job");
const dataOf = (site: string): string => join(examples, "breast-cancer", "data", site, "wdbc.csv");
const python = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import numpy"]).status === 0,
);

describe.skipIf(python === undefined)("statistics of tables of three hospitals (Debian package python3-numpy)", () => {
  const sites = ["hospital-a", "hospital-b", "hospital-c"];
  const careful = "hospital-c";
  let federation: Federation;
  let folder: string;
  /** The example's job, undisturbed and with nothing held back: what the others are compared with. */
  let pooled: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    process.env["FLARE_PYTHON"] = python;
    folder = await mkdtemp(join(tmpdir(), "flare-statistics-"));
    federation = await createFederation({ sites });
    for (const site of sites) {
      const resources = { format_version: 2, components: [], datasets: { wdbc: dataOf(site) } };
      await writeFile(join(federation.kitOf(site), "local", "resources.json"), JSON.stringify(resources));
    }
    // What FLARE's own example of a site's policy says, and a scope that was made for training.
    const components = [
      {
        id: "noise",
        path: "nvflare.app_common.statistics.min_max_cleanser.AddNoiseToMinMax",
        args: { min_noise_level: 0.1, max_noise_level: 0.3 },
      },
      { id: "bins", path: "nvflare.app_common.statistics.histogram_bins_cleanser.HistogramBinsCleanser", args: { max_bins_percent: 20 } },
      { id: "least", path: "nvflare.app_common.statistics.min_count_cleanser.MinCountCleanser", args: { min_count: 100 } },
    ];
    const cleanse = (...ids: string[]) => ({
      path: "nvflare.app_common.filters.statistics_privacy_filter.StatisticsPrivacyFilter",
      args: { result_cleanser_ids: ids },
    });
    const scopes = [
      { name: "open" },
      { name: "explore", task_result_filters: [cleanse("noise", "bins")] },
      { name: "strict", task_result_filters: [cleanse("least")] },
      { name: "training", task_result_filters: [{ name: "ClipNorm", args: { max_norm: 1 } }] },
    ];
    const policyOf = (site: string) => ({
      scopes: site === careful ? scopes : scopes.map(({ name }) => ({ name })),
      default_scope: "open",
      ...(site === careful ? { components } : {}),
    });
    for (const site of sites) await writeFile(join(federation.kitOf(site), "local", "privacy.json"), JSON.stringify(policyOf(site)));
    await federation.startAll();
    pooled = await run("pooled");
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("are those of all patients in one place", async () => {
    const { entries, result } = pooled;
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED", reason: "statistics of 3 sites" });
    const tables = await Promise.all(sites.map(tableOf));
    const names = Object.keys(tables[0] ?? {});
    expect(Object.keys(result)).toEqual(names);
    for (const name of names) {
      const values = tables.flatMap((table) => table[name] ?? []).toSorted((a, b) => a - b);
      const all = (statistic: keyof StatisticsResult[string]) => result[name]?.[statistic]?.["Global"]?.["wdbc"];
      const mean = sumOf(values) / values.length;
      expect(all("count"), `of ${name}`).toBe(415);
      expect(all("mean"), `of ${name}`).toBeCloseTo(mean, 4);
      expect(all("stddev"), `of ${name}`).toBeCloseTo(Math.sqrt(sumOf(values.map((x) => (x - mean) ** 2)) / (values.length - 1)), 4);
      const [low, high] = name === "radius_mean" ? [5, 30] : [values[0] ?? 0, values.at(-1) ?? 0];
      const counts = (all("histogram") as readonly StatisticsBin[]).map(([, , count]) => count);
      expect(counts, `of ${name}`).toEqual(countsOf(values, low, high));
      // By the least count of the job a centroid stands for ten values or more.
      expectQuantiles(values, all("quantile") as Quantiles, 0.05);
    }
  });

  it("are the same where a script in TypeScript gives the columns", async () => {
    const { result } = pooled;
    const script = `import { readFileSync } from "node:fs";
import * as flare from "@flare-ts/runtime/client";

await flare.init();
await flare.serveStatistics(() => {
  const [head, ...rows] = readFileSync(flare.systemInfo().datasets["wdbc"], "utf8").trim().split("\\n").map((line) => line.split(","));
  return { wdbc: Object.fromEntries(head.map((name, i) => [name.trim(), rows.map((row) => Number(row[i]))])) };
});
`;
    const { entries, result: found } = await run(
      "typescript",
      "open",
      {},
      {
        change: async (job) => {
          const executor = { path: "ClientAPIExecutor", args: { task_script_path: "statistics.ts" } };
          const client = { format_version: 2, executors: [{ tasks: ["fed_stats"], executor }] };
          await writeFile(join(job, "app", "config", "config_fed_client.json"), JSON.stringify(client));
          await mkdir(join(job, "app", "custom"));
          await writeFile(join(job, "app", "custom", "statistics.ts"), script);
        },
      },
    );
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED" });
    for (const [name, ofFeature] of Object.entries(found)) {
      const all = (statistic: keyof StatisticsResult[string]) => ofFeature[statistic]?.["Global"]?.["wdbc"];
      expect(ofFeature.count, `counts of ${name}`).toEqual(result[name]?.count);
      expect(ofFeature.histogram, `histograms of ${name}`).toEqual(result[name]?.histogram);
      // Sums in another order are rounded to another last digit.
      for (const statistic of ["mean", "stddev"] as const)
        expect(all(statistic), `${statistic} of ${name}`).toBeCloseTo(result[name]?.[statistic]?.["Global"]?.["wdbc"] as number, 3);
      const values = (await Promise.all(sites.map(tableOf))).flatMap((table) => table[name] ?? []);
      // It has no cleansers: a centroid stands for two values or three.
      expectQuantiles(values, all("quantile") as Quantiles, 0.01);
    }
  });

  it("are those of the patients of each level where sites are in levels, also where a site holds something back", async () => {
    const [job, file] = [join(examples, "statistics", "levels"), "statistics/levels.json"];
    const { result } = await run("levels", "open", {}, { job, file });
    const groups = statisticsByGroup(result);
    expect(groups.map(({ names, level, isSite }) => [names.join("/"), level, isSite])).toEqual([
      ["", undefined, false],
      ["north", "countries", false],
      ["north/hospital-a", "hospitals", true],
      ["north/hospital-b", "hospitals", true],
      ["south", "countries", false],
      ["south/hospital-c", "hospitals", true],
    ]);
    const members = [sites, ["hospital-a", "hospital-b"], ["hospital-a"], ["hospital-b"], ["hospital-c"], ["hospital-c"]];
    for (const [at, { statistics }] of groups.entries()) {
      const tables = await Promise.all((members[at] ?? []).map(tableOf));
      for (const name of Object.keys(tables[0] ?? {})) {
        const values = tables.flatMap((table) => table[name] ?? []);
        const of = (statistic: StatisticName) => statistics[statistic]?.["wdbc"]?.[name];
        const mean = sumOf(values) / values.length;
        expect(of("count"), `of ${name}`).toBe(values.length);
        const stddev = Math.sqrt(sumOf(values.map((x) => (x - mean) ** 2)) / (values.length - 1));
        expectRounded(of("mean"), mean, name);
        expectRounded(of("stddev"), stddev, name);
      }
      const radii = tables.flatMap((table) => table["radius_mean"] ?? []);
      const bins = statistics.histogram?.["wdbc"]?.["radius_mean"] as readonly StatisticsBin[];
      expect(bins.map(([, , count]) => count)).toEqual(countsOf(radii, 5, 30));
    }
    // What all come to is what a workflow without levels says, and in the south nothing is left of a site that holds all of it back.
    expect(groups[0]?.statistics).toEqual(statisticsByGroup(pooled.result)[0]?.statistics);
    const strict = statisticsByGroup((await run("levels-strict", "strict", {}, { job, file })).result);
    expect(strict.slice(4).map(({ statistics }) => statistics)).toEqual([{}, {}]);
    expect(strict[0]?.statistics).toMatchObject({ count: strict[1]?.statistics.count });
  });

  it("leave a site as its own policy says, whatever the job's cleansers let out", async () => {
    const { jobId, result } = await run("explored", "explore");
    const radius = result["radius_mean"];
    const values = (await tableOf(careful))["texture_mean"] ?? [];
    const [low = 0] = values.toSorted((a, b) => a - b);
    // Its 90 values have too few for 18 bins, so 10 are let out; its least value is not the true one.
    expect(Object.keys(radius?.histogram ?? {})).toEqual([...sites, "Global"]);
    const bins = result["texture_mean"]?.histogram?.["Global"]?.["wdbc"] as readonly StatisticsBin[] | undefined;
    expect(bins?.[0]?.[0]).toBeLessThan(low);
    expect(Object.keys(radius?.quantile ?? {})).toEqual(["hospital-a", "hospital-b", "Global"]);
    const strict = await run("strict", "strict");
    expect(Object.keys(strict.result["radius_mean"]?.count ?? {})).toEqual(["hospital-a", "hospital-b", "Global"]);
    const audit = await readFile(join(federation.kitOf(careful), "audit.log"), "utf8");
    const released = audit.split("\n").filter((line) => line.includes(jobId) && line.includes("release_update"));
    expect(released.map((line) => (JSON.parse(line) as { facts: unknown }).facts)).toMatchObject([
      { scope: "explore", filters: ["AddNoiseToMinMax", "HistogramBinsCleanser"] },
      { scope: "explore", filters: ["AddNoiseToMinMax", "HistogramBinsCleanser"] },
    ]);
  });

  it("do not leave a site at all by a scope that was made for training", async () => {
    const { entries } = await run("held-back", "training", { min_clients: 2 });
    const failed = entries.flatMap(({ event }) => (event.type === "task-failed" ? [[event.site, event.error.code]] : []));
    expect(failed).toEqual([[careful, "privacy/statistics-held-back"]]);
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED", reason: "statistics of 2 sites" });
  });

  it("are the same when the server is killed between the passes, and a site in the second", async () => {
    /** A site that has answered the first pass, and answers the second when it may: it would be over before anybody is killed. */
    let held: string | undefined;
    let isKilled = false;
    const { result } = await run(
      "killed",
      "open",
      {},
      {
        onEntry: async ({ event }) => {
          if (event.type === "update-accepted" && event.round === 0 && held === undefined) {
            held = event.site;
            process.kill(federation.pidOf(held) ?? 0, "SIGSTOP");
            process.kill(federation.pidOf("server") ?? 0, "SIGKILL");
          }
          if (event.type === "round-opened" && event.round === 1 && held !== undefined && !isKilled) {
            isKilled = true;
            const jobProcess = () =>
              descendantsOf(federation.pidOf("server") ?? 0).find((one) => one.commandLine.includes("server-job-main"));
            process.kill((await eventually("the job's process runs", jobProcess)).pid, "SIGKILL");
            process.kill(federation.pidOf(held === "hospital-a" ? "hospital-b" : "hospital-a") ?? 0, "SIGKILL");
            process.kill(federation.pidOf(held) ?? 0, "SIGCONT");
          }
        },
      },
    );
    expect(isKilled).toBe(true);
    expect(result).toEqual(pooled.result);
  });

  /** Runs the example's job for a scope, and gives its journal and its result as a download has it. */
  async function run(
    name: string,
    scope = "open",
    args: Readonly<Record<string, number>> = {},
    {
      job: original = example,
      file = "statistics/wdbc.json",
      onEntry = () => Promise.resolve(),
      change = () => Promise.resolve(),
    }: {
      readonly job?: string;
      readonly file?: string;
      readonly onEntry?: (entry: JournalEntry) => Promise<void>;
      readonly change?: (job: string) => Promise<void>;
    } = {},
  ) {
    const job = join(folder, name);
    await cp(original, job, { recursive: true });
    const config = join(job, "app", "config", "config_fed_server.json");
    const server = JSON.parse(await readFile(config, "utf8")) as { workflows: [{ args: Record<string, unknown> }] };
    Object.assign(server.workflows[0].args, args);
    await writeFile(config, JSON.stringify(server));
    const meta = JSON.parse(await readFile(join(job, "meta.json"), "utf8")) as Record<string, unknown>;
    await writeFile(join(job, "meta.json"), JSON.stringify({ ...meta, scope, mandatory_clients: [] }));
    await change(job);
    const submitting = await federation.admin();
    const { jobId } = await submitting.submitJob(job);
    submitting.close();
    const entries = await followJob(federation, jobId, onEntry);
    const admin = await federation.admin();
    try {
      const { dir, files } = await admin.downloadJob(jobId, folder);
      expect(files.map(({ path }) => path)).toEqual([file]);
      const result = JSON.parse(await readFile(join(dir, file), "utf8")) as StatisticsResult;
      expect(await admin.statistics(jobId)).toEqual([{ path: file, result }]);
      return { jobId, entries, result };
    } finally {
      admin.close();
    }
  }
});

/** Columns of a hospital's table. */
async function tableOf(site: string): Promise<Readonly<Record<string, readonly number[]>>> {
  const [head = "", ...rows] = (await readFile(dataOf(site), "utf8")).trim().split("\n");
  const cells = rows.map((row) => row.split(",").map(Number));
  return Object.fromEntries(head.split(",").map((name, i) => [name.trim(), cells.map((row) => row[i] ?? Number.NaN)]));
}

type Quantiles = Readonly<Record<string, number>>;

/** That of the values so many lie below each quantile as its share says, to within another share. */
function expectQuantiles(values: readonly number[], quantiles: Quantiles, within: number): void {
  expect(Object.keys(quantiles)).toEqual(["0.1", "0.5", "0.9"]);
  for (const [share, found] of Object.entries(quantiles)) {
    // The result is rounded to four digits.
    const below = values.filter((x) => x < found - 1e-4).length / values.length;
    const upTo = values.filter((x) => x <= found + 1e-4).length / values.length;
    expect(below, `below the quantile ${share}`).toBeLessThan(Number(share) + within);
    expect(upTo, `up to the quantile ${share}`).toBeGreaterThan(Number(share) - within);
  }
}

/** A number of a result that has four digits after the point, and may have been rounded from halfway between two of them. */
function expectRounded(found: unknown, exact: number, what: string): void {
  expect(Math.abs((found as number) - exact), `of ${what}`).toBeLessThan(0.5001e-4);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Values in ten bins, each with its lower edge and the last one with both; edges as NumPy computes them, on which some values lie. */
function countsOf(values: readonly number[], low: number, high: number): number[] {
  const counts = Array.from({ length: 10 }, () => 0);
  const edges = counts.map((_, i) => low + (i + 1) * ((high - low) / 10));
  for (const value of values) {
    const bin = Math.min(
      9,
      edges.findIndex((edge, i) => value < edge || i === 9),
    );
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
