import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSafetensors, type Tensor } from "@flare-ts/aggregator";
import type { Json } from "@flare-ts/contracts";
import { eventually } from "./eventually.js";
import type { Federation } from "./federation.js";

export interface AddOneJobInit {
  /** Folder to write the job to. */
  readonly folder: string;
  readonly rounds: number;
  /** Length of the one float32 tensor. @default 9, as a 3x3 matrix */
  readonly parameters?: number;
  /** Length of a further float32 tensor that no trainer changes. @default no such tensor */
  readonly frozenParameters?: number;
  /** Milliseconds that each trainer takes for a round. @default 0 */
  readonly trainMs?: number;
  /** Rounds, by site, in which its trainer waits until `letGo` is called. @default none */
  readonly holds?: Readonly<Record<string, readonly number[]>>;
  /** @default "FedAvg" */
  readonly workflow?: string;
  /** Further arguments of the workflow. */
  readonly args?: Readonly<Record<string, Json>>;
  readonly minClients?: number;
  /** Further keys of `meta.json`. */
  readonly meta?: Readonly<Record<string, Json>>;
  /** Whether each site adds a number of its own instead, so that no two updates are the same bytes. @default false */
  readonly addsOwnNumber?: boolean;
  /** Site whose trainer never answers. */
  readonly silentSite?: string;
  /** Site whose trainer fails in each round. */
  readonly failingSite?: string;
  /** Further arguments of the executor. */
  readonly executorArgs?: Readonly<Record<string, Json>>;
}

/** Writes a job whose trainers add one to every parameter, as FLARE's hello-numpy does; the weight differs by site. */
export async function writeAddOneJob(init: AddOneJobInit): Promise<void> {
  const {
    folder,
    rounds,
    parameters = 9,
    frozenParameters = 0,
    trainMs = 0,
    holds = {},
    workflow = "FedAvg",
    args = {},
    minClients = 1,
    meta = {},
    silentSite = "",
    failingSite = "",
    addsOwnNumber = false,
    executorArgs = {},
  } = init;
  const app = join(folder, "app");
  await mkdir(join(app, "config"), { recursive: true });
  await mkdir(join(app, "custom"), { recursive: true });
  const json = (path: string, value: unknown): Promise<void> => writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
  await json(join(folder, "meta.json"), { name: "add-one", deploy_map: { app: ["@ALL"] }, min_clients: minClients, ...meta });
  await json(join(app, "config", "config_fed_server.json"), {
    format_version: 2,
    workflows: [
      {
        id: "fedavg",
        path: workflow,
        args: { num_rounds: rounds, initial_model: "initial_model.safetensors", key_metric: "mean", ...args },
      },
    ],
  });
  await json(join(app, "config", "config_fed_client.json"), {
    format_version: 2,
    executors: [
      {
        tasks: ["train"],
        executor: {
          path: "ClientAPIExecutor",
          args: {
            task_script_path: "train.js",
            task_script_args: [String(trainMs), silentSite, failingSite, String(addsOwnNumber), JSON.stringify(holds)],
            ...executorArgs,
          },
        },
      },
    ],
  });
  await writeFile(join(app, "custom", "train.js"), trainScript);
  const data = Float32Array.from({ length: parameters }, (_, i) => i / 8);
  const tensors: [string, Tensor][] = [["weight", { dtype: "F32", shape: [parameters], data }]];
  if (frozenParameters > 0) {
    const frozen = Float32Array.from({ length: frozenParameters }, (_, i) => Math.sin(i));
    tensors.push(["frozen", { dtype: "F32", shape: [frozenParameters], data: frozen }]);
  }
  await writeFile(join(app, "initial_model.safetensors"), encodeSafetensors(tensors));
}

/**
 * Lets the trainer of a site go on with a round in which the job holds it, as soon as the site has the job. So a test does what it has
 * to do in the middle of a round, however long that takes.
 */
export async function letGo({ kitOf }: Pick<Federation, "kitOf">, jobId: string, site: string, round: number): Promise<void> {
  const mark = join(kitOf(site), jobId, `app_${site}`, "custom", markOf(round));
  await eventually(`${site} has the job`, () =>
    writeFile(mark, "").then(
      () => true,
      () => false,
    ),
  );
}

/** The file by which a trainer sees that it may go on. */
const markOf = (round: number | string): string => `go-${round}`;

const trainScript = `import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as flare from "@flare-ts/runtime/client";

const [trainMs = "0", silentSite = "", failingSite = "", addsOwnNumber = "false", holds = "{}"] = process.argv.slice(2);
await flare.init();
const site = flare.getSiteName();
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  if (site === silentSite) await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
  if (site === failingSite) throw new Error("this trainer fails on purpose");
  await sleep(Number(trainMs));
  while (JSON.parse(holds)[site]?.includes(model.currentRound) && !existsSync("${markOf("")}" + model.currentRound)) await sleep(10);
  const tensor = model.params.weight;
  const added = addsOwnNumber === "true" ? Number(site.at(-1)) : 1;
  const data = tensor.data.map((value) => value + added);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  flare.log("mean", mean, { step: model.currentRound * 10 });
  console.log("mean of " + site + " in round " + model.currentRound + " is " + mean);
  const weight = 10 + site.length + Number(site.at(-1) ?? 0);
  await flare.send(new flare.FLModel({ params: { ...model.params, weight: { ...tensor, data } }, paramsType: "FULL", metrics: { mean }, meta: { NUM_STEPS_CURRENT_ROUND: weight } }));
}
flare.shutdown();
`;
