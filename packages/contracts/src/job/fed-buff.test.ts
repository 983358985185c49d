import { describe, expect, it } from "vitest";
import { compileServerConfig, serverConfigSchema } from "./app-config.js";

const sitesOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `site-${i + 1}`);
const configWith = (path: string, args: object): object => ({
  format_version: 2,
  workflows: [{ id: "w", path, args: { initial_model: "m.safetensors", ...args } }],
});

function settingsOf(args: object, sites = sitesOf(5), minClients?: number): object {
  const job = { jobId: "0b7f0a0e-4c0e-4a3c-9a55-6f7f5d1f6f10", sites, minClients };
  return { ...compileServerConfig(serverConfigSchema.parse(configWith("FedBuff", args)), job).workflows[0]?.settings };
}

describe("FedBuff", () => {
  it("makes a model of the updates of half of the sites, with all at work, unless it is told otherwise", () => {
    expect(settingsOf({})).toMatchObject({
      kind: "FedBuff",
      updatesForModel: 2,
      concurrency: 5,
      maxStaleness: undefined,
      minClients: 1,
      numRounds: 5,
      strategyArgs: {},
    });
    expect(settingsOf({}, sitesOf(1))).toMatchObject({ updatesForModel: 1, concurrency: 1 });
    expect(settingsOf({}, sitesOf(5), 3)).toMatchObject({ minClients: 3 });
  });

  it("takes what is written, of sites at most those that there are", () => {
    const args = { num_updates_for_model: 4, concurrency: 9, max_staleness: 0, min_clients: 2, strategy_args: { learningRate: 0.5 } };
    expect(settingsOf(args)).toMatchObject({
      updatesForModel: 4,
      concurrency: 5,
      maxStaleness: 0,
      minClients: 2,
      strategyArgs: { learningRate: 0.5 },
    });
  });

  it.each([
    [{ num_clients: 3 }, "'concurrency' says how many are at work at once"],
    [{ train_timeout: 3 }, "nobody waits for a slow site"],
    [{ buffer_size: 3 }, "is FLARE's 'num_updates_for_model' here"],
    [{ max_model_history: 3 }, "use 'max_staleness'"],
    [{ global_lr: 1 }, "is 'learningRate' in 'strategy_args'"],
    [{ max_stalenes: 3 }, "did you mean 'max_staleness'?"],
    [{ num_updates_for_model: 0 }, "num_updates_for_model"],
  ])("refuses %o", (args, message) => {
    const { error } = serverConfigSchema.safeParse(configWith("FedBuff", args));
    expect(JSON.stringify(error?.issues)).toContain(message);
  });

  it("is what takes the place of FLARE's asynchronous rounds", () => {
    const { error } = serverConfigSchema.safeParse(configWith("nvflare.edge.controllers.sage.ScatterAndGatherForEdge", {}));
    expect(error?.message).toContain("use FedBuff");
  });
});
