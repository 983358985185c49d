import { describe, expect, it } from "vitest";
import { readDocument } from "../documents/read-document.js";
import type { FlareError } from "../errors/flare-error.js";
import {
  appConfigWarnings,
  clientConfigSchema,
  compileClientConfig,
  compileServerConfig,
  hierarchyFilesOf,
  runsCommand,
  serverConfigSchema,
} from "./app-config.js";

const job = { jobId: "0b7f0a0e-4c0e-4a3c-9a55-6f7f5d1f6f10", sites: ["site-1", "site-2", "site-3"], minClients: 1 };
const writer = {
  id: "stats_writer",
  path: "nvflare.app_common.statistics.json_stats_file_persistor.JsonStatsFileWriter",
  args: { output_path: "statistics/adults_stats.json", json_encoder_path: "nvflare.app_common.utils.json_utils.ObjectEncoder" },
};
const controller = "nvflare.app_common.workflows.statistics_controller.StatisticsController";
const executorPath = "nvflare.app_common.executors.statistics.statistics_executor.StatisticsExecutor";
const cleanser = "nvflare.app_common.statistics.min_count_cleanser.MinCountCleanser";

function server(args: Readonly<Record<string, unknown>>, components: readonly unknown[] = [writer], more: readonly unknown[] = []) {
  const text = JSON.stringify({ format_version: 2, workflows: [{ id: "stats", path: controller, args }, ...more], components });
  return readDocument({ text, file: "config_fed_server.json", schema: serverConfigSchema, code: "job/invalid" });
}

function client(components: readonly unknown[], more: Readonly<Record<string, unknown>> = {}) {
  const executors = [{ tasks: ["fed_stats_pre_run", "fed_stats"], executor: { path: executorPath, args: { generator_id: "own" } } }];
  const text = JSON.stringify({ format_version: 2, executors, components, ...more });
  return readDocument({ text, file: "config_fed_client.json", schema: clientConfigSchema, code: "job/invalid" });
}

/** Mistakes of what is read, as a person is told them. */
function problemsOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as FlareError).problems.map(({ message, path }) => `${path ?? ""} ${message}`).join("\n");
  }
  return "";
}

describe("a workflow of statistics", () => {
  it("is written as in FLARE, and says what has no effect", () => {
    const document = server({
      statistic_configs: {
        histogram: { "*": { bins: 20 }, Age: { bins: 10, range: [0, 120] } },
        count: {},
        mean: {},
        stddev: {},
        quantile: { "*": [0.1, 0.5, 0.9] },
      },
      writer_id: "stats_writer",
      min_clients: 2,
      wait_time_after_min_received: 10,
      enable_pre_run_task: false,
    });
    const { workflows, initialModel } = compileServerConfig(document.value, job);
    expect(initialModel).toBeUndefined();
    expect(workflows[0]?.settings).toEqual({
      kind: "Statistics",
      taskName: "fed_stats",
      statistics: ["count", "mean", "stddev", "histogram", "quantile"],
      histogram: { "*": { bins: 20, range: undefined }, Age: { bins: 10, range: [0, 120] } },
      quantile: { "*": [0.1, 0.5, 0.9] },
      minClients: 2,
      precision: 4,
      isPreRun: false,
      timeoutMs: undefined,
      outputPath: "statistics/adults_stats.json",
    });
    expect(appConfigWarnings(document).map(({ message }) => message)).toEqual([
      expect.stringMatching(/'wait_time_after_min_received' of StatisticsController: has no effect here/),
      expect.stringMatching(/'json_encoder_path' of JsonStatsFileWriter: has no effect here/),
    ]);
  });

  it("asks all sites by default, and writes to a file of its own name", () => {
    expect(compileServerConfig(server({ statistic_configs: { count: {} } }, []).value, job).workflows[0]?.settings).toMatchObject({
      minClients: 3,
      outputPath: "statistics/stats.json",
    });
  });

  it("has no model, and leaves the first one to a workflow that does", () => {
    const fedAvg = { id: "train", path: "FedAvg", args: { initial_model: "m.safetensors" } };
    const args = { statistic_configs: { count: {} } };
    expect(compileServerConfig(server(args, [], [fedAvg]).value, job).initialModel).toBe("m.safetensors");
    expect(problemsOf(() => server(args, [], [{ ...fedAvg, args: {} }]))).toMatch(/is missing/);
    expect(problemsOf(() => server({ ...args, initial_model: "m.safetensors" }))).toMatch(/statistics need no model/);
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ["a slip in the name of a statistic", { statistic_configs: { stdev: {} } }, /unknown statistic; did you mean 'stddev'/],
    ["a statistic that nobody knows", { statistic_configs: { kurtosis: {} } }, /unknown statistic; there are count, failure_count/],
    ["no statistic", { statistic_configs: {} }, /asks for no statistic/],
    ["nothing", {}, /statistic_configs.*is missing|is missing/],
    ["a histogram without bins", { statistic_configs: { histogram: { "*": {} } } }, /bins/],
    ["a range that goes down", { statistic_configs: { histogram: { "*": { bins: 2, range: [3, 1] } } } }, /lower and a higher/],
    ["quantiles in percent", { statistic_configs: { quantile: { "*": [25] } } }, /between 0 and 1/],
    ["a writer that is not there", { statistic_configs: { count: {} }, writer_id: "writer" }, /no component has the id 'writer'/],
    ["a slip in an argument", { statistic_configs: { count: {} }, min_client: 1 }, /did you mean 'min_clients'/],
  ])("is refused with %s", (_, args, message) => {
    expect(problemsOf(() => server(args))).toMatch(message);
  });

  it("has a place of its own for each result", () => {
    const odd = (id: string) => ({ id, path: controller, args: { statistic_configs: { count: {} } } });
    const args = { statistic_configs: { count: {} } };
    expect(problemsOf(() => server(args, [], [odd("a b"), odd("c d")]))).toMatch(/would be 'statistics\/statistics.json'/);
    const twice = { ...odd("again"), args: { ...args, writer_id: "stats_writer" } };
    expect(problemsOf(() => server({ ...args, writer_id: "stats_writer" }, [writer], [twice]))).toMatch(
      /writes the result of a workflow before/,
    );
    expect(problemsOf(() => server(args, [], [odd("other")]))).toBe("");
  });

  it.each(["models/x.json", "receipts.json", "../x.json", "/x.json", "CROSS_SITE_VAL"])("does not write to %s", (output_path) => {
    expect(problemsOf(() => server({ statistic_configs: { count: {} } }, [{ ...writer, args: { output_path } }]))).toMatch(
      /output_path|path/,
    );
  });
});

describe("a workflow of statistics by a hierarchy of sites", () => {
  const path = "nvflare.app_common.workflows.hierarchical_statistics_controller.HierarchicalStatisticsController";
  const of = (args: Readonly<Record<string, unknown>>, own = path) =>
    server({ statistic_configs: { count: {} } }, [], [{ id: "levels", path: own, args: { statistic_configs: { count: {} }, ...args } }]);

  it("is the same, with levels that stand in a file beside the configuration", () => {
    const { value } = of({ hierarchy_config: "hierarchy_config.json" });
    expect(hierarchyFilesOf(value)).toEqual([{ index: 1, path: "config/hierarchy_config.json" }]);
    const hierarchy = { level: "hospitals", members: ["site-1", "site-2", "site-3"] };
    const { workflows } = compileServerConfig(value, job, new Map([["config/hierarchy_config.json", hierarchy]]));
    expect(workflows.map(({ settings }) => "hierarchy" in settings && settings.hierarchy)).toEqual([undefined, hierarchy]);
    expect(() => compileServerConfig(value, job)).toThrow(/nobody has read the hierarchy/);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string | undefined, RegExp]>([
    ["no hierarchy", {}, undefined, /hierarchy_config is missing/],
    ["a file elsewhere", { hierarchy_config: "../h.json" }, undefined, /hierarchy_config the path '..\/h.json' has the part/],
    ["a slip in an argument", { hierarchy_confi: "h.json" }, undefined, /did you mean 'hierarchy_config'/],
    ["the workflow that has no levels", { hierarchy_config: "h.json" }, controller, /is an argument of HierarchicalStatisticsController/],
  ])("is refused with %s", (_, args, own, message) => {
    expect(problemsOf(() => of(args, own))).toMatch(message);
  });
});

describe("a site's part in statistics", () => {
  const generator = { id: "own", path: "df_statistics.DFStatistics", args: { data_path: "data.csv" } };

  it("is a class of the job, which counts as code", () => {
    const document = client([generator]);
    expect(compileClientConfig(document.value).executors[0]).toMatchObject({
      tasks: ["fed_stats_pre_run", "fed_stats"],
      executor: {
        kind: "ClientAPIExecutor",
        launch: { kind: "statistics", generator: { path: "df_statistics.DFStatistics", args: { data_path: "data.csv" } } },
      },
    });
    expect(runsCommand(document.value)).toBe(true);
  });

  it("or ours, which does not", () => {
    const document = client([{ id: "own", path: "CsvStatistics", args: { datasets: ["patients"] } }]);
    expect(compileClientConfig(document.value).executors[0]?.executor.launch).toEqual({
      kind: "statistics",
      generator: { path: "flare_client.statistics.csv_statistics.CsvStatistics", args: { datasets: ["patients"] } },
    });
    expect(runsCommand(document.value)).toBe(false);
  });

  it("may have cleansers, as FLARE's jobs do", () => {
    const filter = {
      path: "nvflare.app_common.filters.statistics_privacy_filter.StatisticsPrivacyFilter",
      args: { result_cleanser_ids: ["least"] },
    };
    const least = { id: "least", path: cleanser, args: { min_count: 10 } };
    const filters = { task_result_filters: [{ tasks: ["fed_stats"], filters: [filter] }] };
    const { resultFilters } = compileClientConfig(client([generator, least], filters).value);
    expect(resultFilters).toEqual([{ tasks: ["fed_stats"], filters: [{ kind: "MinCountCleanser", minCount: 10 }], updateForm: undefined }]);
    expect(problemsOf(() => client([generator], filters))).toMatch(/no component is a cleanser with the id 'least'/);
  });

  it.each<[string, readonly unknown[], RegExp]>([
    ["no generator", [], /no component has the id 'own'/],
    ["a cleanser as its generator", [{ id: "own", path: cleanser, args: { min_count: 1 } }], /is a cleanser, and computes no statistics/],
    ["a component of no use", [generator, { ...generator, id: "other" }], /is of no use/],
    [
      "one of FLARE's that is not here",
      [generator, { id: "p", path: "nvflare.x.PTFileModelPersistor" }],
      /is not supported yet.*what others do is built in: remove it/,
    ],
    ["a slip in an argument of ours", [{ id: "own", path: "CsvStatistics", args: { dataset: ["a"] } }], /did you mean 'datasets'/],
    ["an id twice", [generator, generator], /is the id of a component before/],
  ])("is refused with %s", (_, components, message) => {
    expect(problemsOf(() => client(components))).toMatch(message);
  });
});
