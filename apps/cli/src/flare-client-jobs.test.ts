import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors } from "@flare-ts/aggregator";
import { eventually, processesWith } from "@flare-ts/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withoutSettings } from "./flare-process.test-support.js";

const command = join(import.meta.dirname, "../dist/flare-client.js");
const candidates = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"];
const pythonWith = (modules: string) => candidates.find((python) => spawnSync(python, ["-c", `import ${modules}`]).status === 0);
const numpy = pythonWith("numpy");
const torch = pythonWith("numpy, torch");

/** In the way of FLARE's first example, which its users begin with. */
const numpyJob = {
  "job.py": `
import argparse

from nvflare.app_common.np.recipes.fedavg import NumpyFedAvgRecipe
from nvflare.client.config import TransferType
from nvflare.recipe import SimEnv, add_experiment_tracking

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=2)
rounds = parser.parse_args().rounds
recipe = NumpyFedAvgRecipe(
    name="growing",
    model=[[1, 2], [3, 4]],
    min_clients=2,
    num_rounds=rounds,
    train_script="client.py",
    train_args="--step 1",
    params_transfer_type=TransferType.DIFF,
)
add_experiment_tracking(recipe, tracking_type="tensorboard")
run = recipe.execute(SimEnv(num_clients=2, workspace_root="simulation"))
print("status", run.get_status())
print("result", run.get_result())
`,
  "client.py": `
import argparse

import nvflare.client as flare
from nvflare.app_common.np.constants import NPConstants

from growth import grown

parser = argparse.ArgumentParser()
parser.add_argument("--step", type=int)
step = parser.parse_args().step
flare.init()
while flare.is_running():
    received = flare.receive()
    array = received.params[NPConstants.NUMPY_KEY]
    flare.send(flare.FLModel(params={NPConstants.NUMPY_KEY: grown(array, step)}, metrics={"mean": float(array.mean())}))
`,
  "growth.py": `
def grown(array, step):
    return array + step
`,
};

/** In the way of FLARE's first example for PyTorch, with an evaluation at the end. */
const torchJob = {
  "job.py": `
from net import Net
from nvflare.app_opt.pt.recipes.fedavg import FedAvgRecipe
from nvflare.recipe import SimEnv
from nvflare.recipe.utils import add_cross_site_evaluation

recipe = FedAvgRecipe(name="small-net", min_clients=2, num_rounds=1, model=Net(), train_script="client.py", key_metric="size")
add_cross_site_evaluation(recipe)
run = recipe.execute(SimEnv(num_clients=2, workspace_root="simulation"))
print("status", run.get_status())
`,
  "net.py": `
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1, bias=False)
        torch.nn.init.constant_(self.layer.weight, 1.0)
`,
  "client.py": `
import torch
from net import Net

import nvflare.client as flare

net = Net()
trained = None
flare.init()
while flare.is_running():
    received = flare.receive()
    if flare.is_submit_model():
        flare.send(flare.FLModel(params=trained))
        continue
    net.load_state_dict(received.params)
    metrics = {"size": float(net.layer.weight.abs().sum())}
    if flare.is_evaluate():
        flare.send(flare.FLModel(metrics=metrics))
        continue
    with torch.no_grad():
        net.layer.weight += 1
    trained = {name: value.clone() for name, value in net.state_dict().items()}
    flare.send(flare.FLModel(params=trained, metrics=metrics, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
`,
};

/** In the way of FLARE's example of federated statistics, with a class that needs no pandas. */
const statisticsJob = {
  "job.py": `
from client import AgeStatistics

from nvflare.recipe.fedstats import FedStatsRecipe
from nvflare.recipe.sim_env import SimEnv

sites = [f"site-{i + 1}" for i in range(2)]
recipe = FedStatsRecipe(
    name="ages",
    stats_output_path="statistics/ages.json",
    sites=sites,
    statistic_configs={"count": {}, "mean": {}, "histogram": {"Age": {"bins": 2, "range": [0, 20]}}},
    stats_generator=AgeStatistics(10),
    max_bins_percent=50,
)
run = recipe.execute(env=SimEnv(clients=sites, num_threads=2, workspace_root="simulation"))
print("status", run.get_status())
`,
  "client.py": `
import numpy as np
from numbers_of import numbers_of

from nvflare.app_common.abstract.statistics_spec import Bin, DataType, Feature, Histogram, HistogramType, Statistics


class AgeStatistics(Statistics):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def initialize(self, fl_ctx):
        self.ages = numbers_of(fl_ctx.get_identity_name(), self.size)

    def features(self):
        return {"train": [Feature("Age", DataType.INT)]}

    def count(self, dataset_name, feature_name):
        return self.ages.size

    def sum(self, dataset_name, feature_name):
        return self.ages.sum()

    def histogram(self, dataset_name, feature_name, num_of_bins, global_min_value, global_max_value):
        counts, edges = np.histogram(self.ages, num_of_bins, (global_min_value, global_max_value))
        return Histogram(HistogramType.STANDARD, [Bin(*bin) for bin in zip(edges, edges[1:], counts)])
`,
  "numbers_of.py": `
import numpy as np


def numbers_of(site, size):
    return np.arange(size) + (0 if site == "site-1" else size)
`,
};

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "flare-jobs-")));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

/** Starts `flare-client run job.py`, which has to find `flare` by itself. */
function start(
  python: string | undefined,
  args: readonly string[],
  { isDetached = false }: { readonly isDetached?: boolean } = {},
): { readonly child: ChildProcess; readonly said: () => string } {
  const env = { ...withoutSettings(), HOME: folder, FLARE_PYTHON: python ?? "" };
  const child = spawn(process.execPath, [command, "run", "job.py", ...args], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: isDetached,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  return { child, said: () => said };
}

async function run(python: string | undefined, ...args: readonly string[]): Promise<{ readonly exitCode: unknown; readonly said: string }> {
  const { child, said } = start(python, args);
  const [exitCode] = (await once(child, "close")) as readonly unknown[];
  return { exitCode, said: said() };
}

async function tensorsOf(path: string): Promise<Readonly<Record<string, readonly number[]>>> {
  const tensors = decodeSafetensors(await readFile(join(folder, path)));
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, Array.from(data as Float32Array)]));
}

async function jsonOf(path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, path), "utf8"));
}

describe("a job.py as FLARE's users write it", () => {
  it.skipIf(numpy === undefined)("runs from the script to the model, with NumPy (Debian package python3-numpy)", async () => {
    await write(numpyJob);
    const { exitCode, said } = await run(numpy, "--rounds", "3");
    expect(said).toContain('flare-client: add_experiment_tracking("tensorboard") has no effect here: ');
    expect(said).toMatch(/^round 2 {2}mean 4\.5 {2}2 answers$/m);
    expect(said).toContain(`status FINISHED:COMPLETED\nresult ${join(folder, "simulation", "growing")}\n`);
    expect(exitCode).toBe(0);
    const models = "simulation/growing/server/simulate_job/models";
    expect(await tensorsOf(`${models}/FL_global_model.safetensors`)).toEqual({ numpy_key: [4, 5, 6, 7] });
    expect(processesWith(folder)).toEqual([]);
  });

  it.skipIf(numpy === undefined)("is exported to a job that flare takes, with NumPy (Debian package python3-numpy)", async () => {
    await write(numpyJob);
    expect(await run(numpy, "--export", "--export-dir", "jobs")).toMatchObject({ exitCode: 0 });
    expect((await readdir(join(folder, "jobs", "growing", "app", "custom"))).toSorted()).toEqual(["client.py", "growth.py"]);
    const { readJobFolder } = await import("@flare-ts/runtime/admin");
    expect(await readJobFolder(join(folder, "jobs", "growing"))).toMatchObject({ name: "growing", warnings: [] });
  });

  it.skipIf(numpy === undefined)("says in a line what flare has against it, with NumPy (Debian package python3-numpy)", async () => {
    const asked = numpyJob["job.py"].replace("\nadd_exp", '\nrecipe.add_client_config({"executers": 1})\nadd_exp');
    await write({ ...numpyJob, "job.py": asked });
    const { exitCode, said } = await run(numpy);
    expect(said).toMatch(
      /^flare-client: job\.py:\d+: .+ \[job\/invalid\]\n {2}.*config_fed_client\.json:\d+:\d+: unknown key 'executers'/m,
    );
    expect(said).not.toContain("Traceback");
    expect(exitCode).toBe(1);
  });

  it.skipIf(numpy === undefined)("stops everything when it is told to, with NumPy (Debian package python3-numpy)", async () => {
    await write(numpyJob);
    const { child, said } = start(numpy, ["--rounds", "100000"]);
    const ended = once(child, "close");
    await eventually("a round is over", () => /^round 1 /m.test(said()));
    child.kill("SIGTERM");
    expect(await ended).toEqual([143, null]);
    expect(processesWith(folder)).toEqual([]);
  });

  it.skipIf(numpy === undefined)("ends in a line upon Ctrl-C, with NumPy (Debian package python3-numpy)", async () => {
    await write(numpyJob);
    // Of a group to itself, as in a terminal, where Ctrl-C reaches all.
    const { child, said } = start(numpy, ["--rounds", "100000"], { isDetached: true });
    const ended = once(child, "close");
    await eventually("a round is over", () => /^round 1 /m.test(said()));
    process.kill(-(child.pid ?? Number.NaN), "SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(said()).toMatch(/^flare-client: interrupted\n$/m);
    expect(said()).not.toMatch(/Traceback|KeyboardInterrupt/);
    expect(processesWith(folder)).toEqual([]);
  });

  it.skipIf(numpy === undefined)("is run again at once when it was killed, with NumPy (Debian package python3-numpy)", async () => {
    await write({
      ...numpyJob,
      "job.py": `import os\nwith open("pid", "w") as file:\n    file.write(str(os.getpid()))\n${numpyJob["job.py"]}`,
    });
    const { child, said } = start(numpy, ["--rounds", "100000"]);
    const ended = once(child, "exit");
    await eventually("a round is over", () => /^round 1 /m.test(said()));
    process.kill(Number(await readFile(join(folder, "pid"), "utf8")), "SIGKILL");
    expect(await ended).toEqual([137, null]);
    const second = await run(numpy, "--rounds", "2");
    expect(second.said).toContain("status FINISHED:COMPLETED\n");
    expect(second.exitCode).toBe(0);
    expect(processesWith(folder)).toEqual([]);
  });

  it.skipIf(numpy === undefined)("runs in a federation that is made for it, with NumPy (Debian package python3-numpy)", async () => {
    const job = numpyJob["job.py"].replaceAll("SimEnv", "PocEnv").replace(', workspace_root="simulation"', "");
    await write({ ...numpyJob, "job.py": job });
    const { exitCode, said } = await run(numpy);
    const [jobId = ""] = await readdir(join(folder, "results"));
    expect(said).toContain(`\nresult ${join(folder, "results", jobId)}\n`);
    expect(exitCode).toBe(0);
    expect(await tensorsOf(`results/${jobId}/models/FL_global_model.safetensors`)).toEqual({ numpy_key: [3, 4, 5, 6] });
    expect(await readdir(join(folder, ".flare", "poc")).catch(() => [])).toEqual([]);
    expect(processesWith(folder)).toEqual([]);
  });

  it.skipIf(numpy === undefined)("computes statistics by a class of its own, with NumPy (Debian package python3-numpy)", async () => {
    await write(statisticsJob);
    const { exitCode, said } = await run(numpy);
    expect(said).toContain("status FINISHED:COMPLETED\n");
    expect(exitCode).toBe(0);
    expect(await jsonOf("simulation/ages/server/simulate_job/statistics/ages.json")).toMatchObject({
      Age: {
        count: { "site-1": { train: 10 }, "site-2": { train: 10 }, Global: { train: 20 } },
        mean: { "site-1": { train: 4.5 }, "site-2": { train: 14.5 }, Global: { train: 9.5 } },
        histogram: {
          Global: {
            train: [
              [0, 10, 10],
              [10, 20, 10],
            ],
          },
        },
      },
    });
  });

  it.skipIf(numpy === undefined)("computes statistics of tables without code, with NumPy (Debian package python3-numpy)", async () => {
    const job = statisticsJob["job.py"]
      .replace("from client import AgeStatistics", "from flare_client.statistics import CsvStatistics")
      .replace("AgeStatistics(10)", 'CsvStatistics(datasets=["patients"], delimiter=";"),\n    min_count=3')
      .replace('workspace_root="simulation"', 'workspace_root="simulation", datasets={"patients": "{site}.csv"}');
    await write({ "job.py": job, "site-1.csv": "Age;Name\n1;a\n2;b\n3;c\n4;d\n5;e\n", "site-2.csv": "Age;Name\n11;a\n12;b\n" });
    const { exitCode, said } = await run(numpy);
    expect(said).toContain("status FINISHED:COMPLETED\n");
    expect(exitCode).toBe(0);
    // The other site has fewer values than may leave it.
    expect(await jsonOf("simulation/ages/server/simulate_job/statistics/ages.json")).toMatchObject({
      Age: { count: { "site-1": { patients: 5 }, Global: { patients: 5 } }, mean: { Global: { patients: 3 } } },
    });
  });

  it.skipIf(torch === undefined)("trains and evaluates, with PyTorch (Debian package python3-torch)", async () => {
    await write(torchJob);
    const { exitCode, said } = await run(torch);
    expect(said).toMatch(/^round 0 {2}size 2 {2}2 answers$/m);
    expect(said).toMatch(/^round 2 {2}model of SRV_FL_global_model {2}size 4 {2}2 answers$/m);
    expect(said).toContain("status FINISHED:COMPLETED");
    expect(exitCode).toBe(0);
    const server = "simulation/small-net/server/simulate_job";
    expect(await tensorsOf(`${server}/models/FL_global_model.safetensors`)).toEqual({ "layer.weight": [2, 2] });
    const results = await readFile(join(folder, server, "cross_site_val", "cross_val_results.json"), "utf8");
    expect(JSON.parse(results)).toMatchObject({ "site-1": { SRV_FL_global_model: { size: 4 }, "site-2": { size: 4 } } });
  });
});
