import { describe, expect, it } from "vitest";
import { readDocument } from "../documents/read-document.js";
import { appConfigWarnings, compileServerConfig, serverConfigSchema } from "./app-config.js";

const job = { jobId: "0b7f0a0e-4c0e-4a3c-9a55-6f7f5d1f6f10", sites: ["site-1", "site-2", "site-3"], minClients: 2 };

const configWith = (path: string, args: object): object => ({
  format_version: 2,
  workflows: [{ id: "w", path, args: { initial_model: "m.safetensors", ...args } }],
});

function settingsOf(path: string, args: object): object {
  const settings = compileServerConfig(serverConfigSchema.parse(configWith(path, args)), job).workflows[0]?.settings;
  return { ...settings };
}

describe("Scaffold", () => {
  it("holds rounds as FedAvg does", () => {
    const args = { num_rounds: 7, num_clients: 2, start_round: 3, train_timeout: 60, stop_cond: "loss < 0.1", patience: 2, seed: 5 };
    const { kind, strategyArgs, ...rounds } = settingsOf("nvflare.app_common.workflows.scaffold.Scaffold", args) as Record<string, unknown>;
    expect({ kind, strategyArgs }).toEqual({ kind: "Scaffold", strategyArgs: {} });
    expect(settingsOf("FedAvg", args)).toMatchObject(rounds);
    expect(rounds).toMatchObject({ numRounds: 7, numClients: 2, minClients: 2, startRound: 3, trainTimeoutMs: 60_000 });
  });

  it("passes settings of its strategy on as they are written", () => {
    const strategyArgs = { globalLearningRate: 0.5, weighting: "uniform", plainTensors: ["scale"] };
    expect(settingsOf("Scaffold", { strategy_args: strategyArgs })).toMatchObject({ strategyArgs });
  });

  it.each([
    [{ min_clients: 3, num_clients: 2 }, "must not be more than num_clients"],
    [{ strategy_args: { totalClients: 3 } }, "is the number of the job's sites"],
    [{ strategy: "fed-avg" }, "SCAFFOLD has its own way to combine updates"],
    [{ allow_empty_global_weights: true }, "a job begins with a model"],
    [{ fedprox_mu: 0.1 }, "unknown argument 'fedprox_mu' of Scaffold"],
    [{ num_round: 3 }, "did you mean 'num_rounds'?"],
  ])("refuses %o", (args, message) => {
    expect(serverConfigSchema.safeParse(configWith("Scaffold", args)).error?.message).toContain(message);
  });

  it("warns of FLARE's argument that has no effect", () => {
    const text = JSON.stringify(configWith("Scaffold", { ignore_result_error: false }));
    const document = readDocument({ text, file: "config_fed_server.json", schema: serverConfigSchema, code: "job/invalid" });
    expect(appConfigWarnings(document).map(({ message }) => message)).toEqual([
      expect.stringContaining("'ignore_result_error' has no effect here"),
    ]);
  });
});
