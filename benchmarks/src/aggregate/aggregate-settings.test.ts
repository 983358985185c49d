import { describe, expect, it } from "vitest";
import { parseOptions } from "../command-line/parse-options.ts";
import { aggregateOptions } from "./aggregate-options.ts";
import { type AggregateSettings, aggregateSettings } from "./aggregate-settings.ts";

const settings = (...args: readonly string[]): AggregateSettings => aggregateSettings(parseOptions(aggregateOptions, args));

describe("the settings of a run", () => {
  it("are complete without any option", () => {
    expect(settings()).toMatchObject({
      points: [{ clients: 8, params: 25_000_000 }],
      layout: "160",
      dtype: "float32",
      engines: ["auto"],
      modes: ["exact", "fast", "float64"],
      strategy: { name: "fed-avg", options: {} },
      threads: [1, 2],
      runs: 5,
      baselines: ["numpy-add", "torch-add", "flower-reduce", "flower-inplace", "numpy-gemv", "numpy-files"],
      isPublished: false,
    });
  });

  it("are small with --quick, unless said otherwise", () => {
    expect(settings("--quick", "--runs", "7")).toMatchObject({ points: [{ clients: 4, params: 1_000_000 }], runs: 7 });
  });

  it("have each size of the sweeps once, after the one that tables are about", () => {
    expect(settings("--params", "1e6", "--sweep", "clients=2,8,16", "--sweep", "params=1e5,1e6").points).toEqual([
      { clients: 8, params: 1e6 },
      { clients: 2, params: 1e6 },
      { clients: 16, params: 1e6 },
      { clients: 8, params: 1e5 },
    ]);
  });

  it("take the element type of the model unless another is named", () => {
    expect(settings("--layout", "llama-1b").dtype).toBe("bfloat16");
    expect(settings("--layout", "llama-1b", "--dtype", "float16").dtype).toBe("float16");
  });

  it("name engines, modes and baselines in lists", () => {
    expect(settings("--engine", "js,wasm", "--mode", "exact", "--threads", "4,1", "--baselines", "numpy-krum,torch-median")).toMatchObject({
      engines: ["js", "wasm"],
      modes: ["exact"],
      threads: [1, 4],
      baselines: ["numpy-krum", "torch-median"],
    });
    expect(settings("--engine", "all", "--mode", "fast")).toMatchObject({
      engines: ["wasm", "js", "webgpu", "gpu"],
      isAnyEngine: true,
      modes: ["fast"],
    });
    expect(settings("--baselines", "none").baselines).toEqual([]);
    expect(settings("--baselines", "all").baselines).toHaveLength(10);
  });

  it.each([
    [["now"], "aggregate takes options only, not 'now'."],
    [["--layout", "resnet5"], "Did you mean 'resnet50'?"],
    [["--layout", "gpt2", "--params", "5"], "--params counts for flat and 160; gpt2 has its own number of parameters."],
    [["--layout", "gpt2", "--sweep", "params=5"], "--sweep params needs the layout flat or 160; gpt2 has one size."],
    [["--sweep", "client=5"], "--sweep takes clients, params, not 'client'. Did you mean 'clients'?"],
    [["--sweep", "5"], "--sweep takes clients=2,4,8 or params=1e5,1e6, not '5'."],
    [["--sweep", "clients=2", "--sweep", "clients=3"], "--sweep clients is given twice"],
    [["--sweep", "clients=2,x"], "--sweep clients takes whole numbers of at least 1, not 'x'."],
    [["--threads", "9"], "--threads takes whole numbers from 1 to 8, not '9'."],
    [["--engine", "wsm"], "Did you mean 'wasm'?"],
    [["--engine", "js", "--mode", "fast"], "Engine js sums in mode exact, not in fast."],
    [["--dtype", "int4"], "--dtype takes float32, bfloat16, float16, not 'int4'."],
    [["--compression", "int8", "--dtype", "float16"], "--compression takes updates of float32, and these are float16"],
    [["--strategy", "trimmed-mean"], 'Setting "fraction" of trimmed-mean is missing'],
    [["--strategy", "fedavg"], "Did you mean 'fed-avg'?"],
    [["--strategy-option", "lr=1"], 'fed-avg has no setting "lr"'],
    [["--strategy-option", "lr"], "--strategy-option takes name=value, not 'lr'."],
    [["--baselines", "numpy-meidan"], "Did you mean 'numpy-median'?"],
    [["--out", "a.json", "--publish"], "--publish names the file itself"],
  ])("%j is refused in one sentence", (args, message) => {
    expect(() => settings(...args)).toThrow(
      expect.objectContaining({ code: "cli/invalid-arguments", message: expect.stringContaining(message) }),
    );
  });
});
