import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FlareError, type Problem } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readJobFolder } from "./read-job-folder.js";

let root = "";
let folder = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flare-job-folder-"));
  folder = join(root, "my_job");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const meta = `{
  "name": "breast-cancer",
  "deploy_map": { "app": ["@ALL"] },
  "min_clients": 2,
  "resource_spec": {}
}`;

const server = `{
  "format_version": 2,
  "workflows": [
    {
      "id": "controller",
      "path": "nvflare.app_common.workflows.fedavg.FedAvg",
      "args": {
        "num_rounds": 3,
        "initial_model": "models/initial.safetensors"
      }
    }
  ],
  "components": [],
  "task_data_filters": [],
  "task_result_filters": []
}`;

const client = `{
  "format_version": 2,
  "executors": [
    {
      "tasks": ["train"],
      "executor": {
        "path": "nvflare.app_common.executors.client_api_executor.ClientAPIExecutor",
        "args": { "task_script_path": "train.mjs", "task_script_args": "--lr 0.1" }
      }
    }
  ],
  "components": []
}`;

const header = Buffer.from('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(header.length));
const model = Buffer.concat([length, header, Buffer.alloc(4)]);

const goodJob: Readonly<Record<string, string | Uint8Array>> = {
  "meta.json": meta,
  "app/config/config_fed_server.json": server,
  "app/config/config_fed_client.json": client,
  "app/custom/train.mjs": "",
  "app/models/initial.safetensors": model,
};

/** Two apps: one for the server, one for two sites. */
const splitJob: Readonly<Record<string, string | Uint8Array>> = {
  "meta.json": meta.replace(`{ "app": ["@ALL"] }`, `{ "srv": ["server"], "hospital": ["site-1", "site-2"] }`),
  "srv/config/config_fed_server.json": server,
  "srv/models/initial.safetensors": model,
  "hospital/config/config_fed_client.json": client,
  "hospital/custom/train.mjs": "",
};

type Files = Readonly<Record<string, string | Uint8Array | undefined>>;

async function write(files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) continue;
    const absolute = join(folder, path);
    await mkdir(dirname(absolute), { recursive: true });
    await writeFile(absolute, content);
  }
}

async function problemsOf(files: Files): Promise<{ readonly code: string; readonly problems: readonly Problem[] }> {
  await write(files);
  const reason: unknown = await readJobFolder(folder).catch((caught: unknown) => caught);
  return reason instanceof FlareError ? reason : { code: "accepted", problems: [] };
}

describe("readJobFolder", () => {
  it("returns a job with its apps and the hash of every file", async () => {
    await write(goodJob);
    const job = await readJobFolder(folder);
    expect(job.name).toBe("breast-cancer");
    expect(job.folderName).toBe("my_job");
    expect(job.apps).toEqual([{ name: "app", runsOnServer: true, runsOnSites: true, bringsCode: true }]);
    expect(job.files.map(({ path }) => path)).toEqual(Object.keys(goodJob).sort());
    expect(job.files.find(({ path }) => path === "app/custom/train.mjs")).toMatchObject({
      size: 0,
      sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
    expect(job.meta).toMatchObject({ deployMap: { app: "@ALL" }, minClients: 2, mandatoryClients: [] });
    expect(job.warnings).toEqual([]);
  });

  it("reads YAML, short names of classes, {sites: …} and several apps", async () => {
    await write({
      ...splitJob,
      "meta.json": undefined,
      "meta.yml":
        "name: j\ndeploy_map:\n  srv: { sites: [server] }\n  hospital: { targets: [site-1, site-2] }\nmandatory_clients: [site-2]\n",
      "srv/config/config_fed_server.json": server.replace("nvflare.app_common.workflows.fedavg.FedAvg", "FedAvg"),
    });
    const job = await readJobFolder(folder);
    expect(job.apps.map(({ name, runsOnServer, runsOnSites }) => [name, runsOnServer, runsOnSites])).toEqual([
      ["srv", true, false],
      ["hospital", false, true],
    ]);
  });

  it("counts a command as code that the submitter brings, with or without custom/", async () => {
    await write({ ...splitJob, "hospital/custom/train.mjs": undefined });
    await write({
      "hospital/config/config_fed_client.json": client.replace(/"task_script_path".*"--lr 0.1"/, `"command": ["python3", "-c", "print()"]`),
    });
    const job = await readJobFolder(folder);
    expect(job.apps.map(({ name, bringsCode }) => [name, bringsCode])).toEqual([
      ["srv", false],
      ["hospital", true],
    ]);
  });

  it("accepts a link to a file of the job as that file", async () => {
    await write(goodJob);
    await symlink("train.mjs", join(folder, "app/custom/again.mjs"));
    const job = await readJobFolder(folder);
    expect(job.files.map(({ path }) => path)).toContain("app/custom/again.mjs");
  });

  it("accepts what FLARE needs and we do not, with a warning that names the line", async () => {
    await write({
      ...goodJob,
      "meta.json": meta.replace(`"resource_spec": {}`, `"custom_props": { "a": 1 },\n  "stats_pool_config": { "save_pools": ["*"] }`),
      "app/config/config_fed_client.json": client.replace(`"components": []`, `"get_task_timeout": 600`),
    });
    const job = await readJobFolder(folder);
    expect(job.meta.customProps).toEqual({ a: 1 });
    expect(job.warnings).toMatchObject([
      { file: "meta.json", line: 6 },
      { file: "app/config/config_fed_client.json", line: 12 },
    ]);
  });

  const serverFile = "app/config/config_fed_server.json";
  const clientFile = "app/config/config_fed_client.json";
  const workflowArg = (text: string): string => server.replace(`"num_rounds": 3`, text);
  const executorArg = (text: string): string => client.replace(`"task_script_args": "--lr 0.1"`, text);
  const wrongJobs: readonly (readonly [what: string, files: Files, file: string, line: number | undefined, message: RegExp])[] = [
    ["no meta.json", { "meta.json": undefined }, "meta.json", undefined, /missing/],
    ["JSON that ends too early", { "meta.json": '{\n  "name": "j",\n' }, "meta.json", 3, /./],
    [
      "an unknown key in meta.json",
      { "meta.json": meta.replace("min_clients", "min_client") },
      "meta.json",
      4,
      /did you mean 'min_clients'/,
    ],
    [
      "no name",
      { "meta.json": meta.replace(`"name"`, `"custom_props": {}, "mandatory_clients": [], "namee"`) },
      "meta.json",
      2,
      /did you mean 'name'/,
    ],
    ["a name with a path", { "meta.json": meta.replace("breast-cancer", "../j") }, "meta.json", 2, /letters/],
    ["a deploy map without the server", { "meta.json": meta.replace("@ALL", "site-1") }, "meta.json", 3, /no app goes to 'server'/],
    [
      "a site in two apps",
      { "meta.json": meta.replace(`["@ALL"]`, `["server", "site-1"],\n    "app2": ["site-1"]`) },
      "meta.json",
      4,
      /'site-1' is in 'app' already/,
    ],
    [
      "two apps of which one goes everywhere",
      { "meta.json": meta.replace(`["@ALL"]`, `["@ALL"], "app2": ["site-1"]`) },
      "meta.json",
      3,
      /no other app/,
    ],
    ["an app folder that is not there", { "meta.json": meta.replace(`"app"`, `"application"`) }, "meta.json", 3, /no folder 'application'/],
    ["an app that leaves the job", { "meta.json": meta.replace(`"app"`, `"../app"`) }, "meta.json", 3, /not the name of an app/],
    ["more min_clients than sites", { "meta.json": meta.replace(`["@ALL"]`, `["server", "site-1"]`) }, "meta.json", 4, /min_clients is 2/],
    ["min_clients that is no number", { "meta.json": meta.replace(": 2", `: "two"`) }, "meta.json", 4, /number/],
    [
      "a mandatory site outside the deploy map",
      {
        "meta.json": meta
          .replace(`["@ALL"]`, `["server", "site-1", "site-2"],\n"z": ["site-3"]`)
          .replace(`"min_clients": 2`, `"mandatory_clients": ["site-9"]`),
      },
      "meta.json",
      5,
      /'site-9' is not in deploy_map/,
    ],
    [
      "resources that nobody would honour",
      { "meta.json": meta.replace(`"resource_spec": {}`, `"resource_spec": { "site-1": { "num_of_gpu": 1 } }`) },
      "meta.json",
      5,
      /num_of_gpu.*num_of_gpus/,
    ],
    [
      "a launcher that nobody would honour",
      { "meta.json": meta.replace(`"resource_spec": {}`, `"launcher_spec": { "default": { "docker": { "image": "x" } } }`) },
      "meta.json",
      5,
      /not supported yet/,
    ],
    [
      "a privacy scope that no site can have",
      { "meta.json": meta.replace(`"resource_spec": {}`, `"scope": "my private one"`) },
      "meta.json",
      5,
      /letters, digits/,
    ],
    ["no configuration for the server", { [serverFile]: undefined }, "meta.json", 3, /config_fed_server/],
    ["no configuration for the sites", { [clientFile]: undefined }, "meta.json", 3, /config_fed_client/],
    [
      "HOCON",
      { [serverFile]: undefined, "app/config/config_fed_server.conf": "" },
      "app/config/config_fed_server.conf",
      undefined,
      /HOCON/,
    ],
    [
      "the same configuration twice",
      { "app/config/config_fed_server.yml": "" },
      "app/config/config_fed_server.yml",
      undefined,
      /stands beside/,
    ],
    ["another format version", { [serverFile]: server.replace("2,", "1,") }, serverFile, 2, /must be 2/],
    ["no format version", { [serverFile]: server.replace(`"format_version": 2,`, "") }, serverFile, 1, /must be 2/],
    [
      "a workflow with a slip of the pen",
      { [serverFile]: server.replace("fedavg.FedAvg", "fedavg.FedAgv") },
      serverFile,
      6,
      /did you mean 'FedAvg'/,
    ],
    [
      "a workflow that is not built",
      {
        [serverFile]: server.replace(
          "nvflare.app_common.workflows.fedavg.FedAvg",
          "nvflare.app_common.workflows.statistics_controller.StatisticsController",
        ),
      },
      serverFile,
      6,
      /not supported yet; supported: FedAvg, Scaffold, Cyclic/,
    ],
    [
      "a workflow that has another name here",
      {
        [serverFile]: server.replace(
          "nvflare.app_common.workflows.fedavg.FedAvg",
          "nvflare.app_common.workflows.scatter_and_gather.ScatterAndGather",
        ),
      },
      serverFile,
      6,
      /is not here: FedAvg does the same/,
    ],
    [
      "a class of the job's own that is called FedAvg",
      { [serverFile]: server.replace("nvflare.app_common.workflows.fedavg.FedAvg", "my_code.FedAvg") },
      serverFile,
      6,
      /not supported yet/,
    ],
    [
      "a second workflow with a first model of its own",
      {
        [serverFile]: server.replace(
          "  ],",
          `, { "id": "b", "path": "FedAvg", "args": { "initial_model": "models/initial.safetensors" } }\n  ],`,
        ),
      },
      serverFile,
      12,
      /belongs to the first workflow; this one goes on with the model of the one before/,
    ],
    [
      "two workflows of one id",
      { [serverFile]: server.replace("  ],", `, { "id": "controller", "path": "Cyclic" }\n  ],`) },
      serverFile,
      12,
      /'controller' is the id of a workflow before/,
    ],
    [
      "training under the name of evaluations",
      { [serverFile]: workflowArg(`"task_name": "validate"`), [clientFile]: client.replace(`"train"`, `"*"`) },
      serverFile,
      8,
      /'validate' is the evaluate_task_name of the executor/,
    ],
    [
      "an evaluation under a name that the executor does not know",
      {
        [serverFile]: server.replace(
          "  ],",
          `, { "id": "b", "path": "GlobalModelEval",\n"args": { "validation_task_name": "judge" } }\n  ],`,
        ),
        [clientFile]: client.replace(`"train"`, `"*"`),
      },
      serverFile,
      13,
      /is 'judge', and the executor's evaluate_task_name is 'validate'/,
    ],
    [
      "a site that the job does not go to",
      {
        "meta.json": meta.replace(`["@ALL"]`, `["server", "site-1"]`).replace(`"min_clients": 2`, `"min_clients": 1`),
        [serverFile]: server.replace("  ],", `, { "id": "b", "path": "Cyclic",\n"args": { "order": ["site-1", "site-2"] } }\n  ],`),
      },
      serverFile,
      13,
      /'site-2' is not in deploy_map/,
    ],
    [
      "a workflow whose task no executor takes",
      { [serverFile]: server.replace("  ],", `, { "id": "b", "path": "GlobalModelEval" }\n  ],`) },
      clientFile,
      3,
      /no executor takes the task 'validate' of the workflows/,
    ],
    [
      "components",
      { [serverFile]: server.replace(`"components": []`, `"components": [{ "id": "p", "path": "x", "args": {} }]`) },
      serverFile,
      13,
      /components are not supported yet/,
    ],
    [
      "filters",
      {
        [serverFile]: server.replace(
          `"task_result_filters": []`,
          `"task_result_filters": [{ "tasks": ["train"], "filters": [{ "path": "nvflare.app_common.filters.ExcludeVars" }] }]`,
        ),
      },
      serverFile,
      15,
      /'nvflare.app_common.filters.ExcludeVars' is not supported yet; supported: ModelDequantizer/,
    ],
    ["a misspelt argument of the workflow", { [serverFile]: workflowArg(`"num_round": 3`) }, serverFile, 8, /did you mean 'num_rounds'/],
    ["no rounds", { [serverFile]: workflowArg(`"num_rounds": 0`) }, serverFile, 8, /must be at least 1/],
    [
      "a stop condition that cannot be read",
      { [serverFile]: workflowArg(`"stop_cond": "accuracy is good"`) },
      serverFile,
      8,
      /accuracy >= 0.95/,
    ],
    [
      "a quorum above the number of clients",
      { [serverFile]: workflowArg(`"num_clients": 2, "min_clients": 3`) },
      serverFile,
      8,
      /more than num_clients/,
    ],
    [
      "a misspelt strategy",
      { [serverFile]: workflowArg(`"num_rounds": 3,\n"strategy": "trimmed-men"`) },
      serverFile,
      9,
      /did you mean "trimmed-mean"/,
    ],
    [
      "a misspelt setting of a strategy",
      { [serverFile]: workflowArg(`"strategy": "norm-clip",\n"strategy_args": {\n"clipNorm": 1,\n"weigthing": "uniform" }`) },
      serverFile,
      11,
      /did you mean "weighting"/,
    ],
    [
      "a setting of a strategy out of its range",
      { [serverFile]: workflowArg(`"strategy": "trimmed-mean",\n"strategy_args": {\n"fraction": 0.5 }`) },
      serverFile,
      10,
      /below 0\.5/,
    ],
    [
      "a missing setting of a strategy",
      { [serverFile]: workflowArg(`"strategy": "trimmed-mean"`) },
      serverFile,
      7,
      /"fraction".*is missing/,
    ],
    [
      "a strategy that needs more than a job has",
      { [serverFile]: workflowArg(`"strategy": "scaffold"`) },
      serverFile,
      8,
      /name Scaffold instead of FedAvg/,
    ],
    [
      "a misspelt setting of SCAFFOLD's",
      { [serverFile]: workflowArg(`"strategy_args": {\n"globalLearningRat": 1 }`).replaceAll("FedAvg", "Scaffold") },
      serverFile,
      9,
      /did you mean "globalLearningRate"/,
    ],
    [
      "a number of sites for SCAFFOLD",
      { [serverFile]: workflowArg(`"strategy_args": {\n"totalClients": 1 }`).replaceAll("FedAvg", "Scaffold") },
      serverFile,
      9,
      /is the number of the job's sites; remove it/,
    ],
    [
      "an argument of FLARE's Scaffold that has another place here",
      { [serverFile]: workflowArg(`"persistor_id": "persistor"`).replaceAll("FedAvg", "Scaffold") },
      serverFile,
      8,
      /by 'initial_model'/,
    ],
    [
      "settings of no strategy",
      { [serverFile]: workflowArg(`"strategy_args": { "mu": 1 }`) },
      serverFile,
      8,
      /'strategy', which is not named/,
    ],
    [
      "mu twice",
      { [serverFile]: workflowArg(`"fedprox_mu": 1,\n"strategy": "fed-prox", "strategy_args": { "mu": 1 }`) },
      serverFile,
      8,
      /leave one of them/,
    ],
    ["a class of FLARE's that aggregates", { [serverFile]: workflowArg(`"aggregator": { "path": "x" }`) }, serverFile, 8, /by 'strategy'/],
    [
      "a start with fewer sites than the strategy needs",
      { [serverFile]: workflowArg(`"strategy": "krum", "strategy_args": { "byzantine": 0 }`) },
      "meta.json",
      4,
      /min_clients is 2, but .* krum needs 3 updates/,
    ],
    [
      "a quorum below what the strategy needs",
      {
        "meta.json": meta.replace(": 2", ": 5"),
        [serverFile]: workflowArg(`"strategy": "krum", "strategy_args": { "byzantine": 1 },\n"min_clients": 4`),
      },
      serverFile,
      9,
      /min_clients is 4, but krum .* needs 5 updates/,
    ],
    ["excluded variables", { [serverFile]: workflowArg(`"exclude_vars": "("`) }, serverFile, 8, /is no regular expression/],
    ["no initial model", { [serverFile]: server.replace(/,\s+"initial_model": "[^"]+"/, "") }, serverFile, 7, /./],
    ["an initial model that is not there", { "app/models/initial.safetensors": undefined }, serverFile, 9, /does not exist/],
    [
      "an initial model of another format",
      { "app/models/initial.safetensors": "PK\u0003\u0004 a pickle in a zip file" },
      serverFile,
      9,
      /not a safetensors file/,
    ],
    ["an initial model outside the app", { [serverFile]: server.replace("models/", "../../") }, serverFile, 9, /'\.\.'/],
    [
      "a misspelt executor",
      { [clientFile]: client.replace("executor.ClientAPIExecutor", "executor.ClientApiExecuter") },
      clientFile,
      7,
      /did you mean 'ClientAPIExecutor'/,
    ],
    ["an executor that takes another task only", { [clientFile]: client.replace(`["train"]`, `["validate"]`) }, clientFile, 3, /'train'/],
    ["a script that is not there", { "app/custom/train.mjs": undefined }, clientFile, 8, /no file app\/custom\/train.mjs/],
    ["a script outside custom", { [clientFile]: client.replace("train.mjs", "../../x") }, clientFile, 8, /'\.\.'/],
    ["script and command together", { [clientFile]: executorArg(`"command": "python3 train.py"`) }, clientFile, 8, /not both/],
    ["a command with an open quote", { [clientFile]: executorArg(`"command": "python3 'train.py"`) }, clientFile, 8, /quote/],
    [
      "an execution mode that is not built",
      { [clientFile]: executorArg(`"execution_mode": "in_process"`) },
      clientFile,
      8,
      /a process of its own/,
    ],
    ["a path that two machines read in two ways", { "app/custom/a:b": "" }, "app/custom/a:b", undefined, /colon/],
    ["names that differ in case only", { "app/custom/Train.mjs": "" }, "app/custom/train.mjs", undefined, /case/],
  ];

  it.each(wrongJobs)("refuses %s, with file and line", async (_what, files, file, line, message) => {
    const { code, problems } = await problemsOf({ ...goodJob, ...files });
    expect(code).toBe("job/invalid");
    expect(problems).toContainEqual(expect.objectContaining({ file, message: expect.stringMatching(message) as string }));
    expect(problems.find((problem) => problem.file === file && message.test(problem.message))?.line).toBe(line);
  });

  it.each([
    ["num_clients above the sites of the job", `"num_clients": 3`, /goes to 2/],
    ["a weight for a site that is not in the job", `"aggregation_weights": { "site-7": 2 }`, /'site-7' is not in deploy_map/],
  ])("refuses %s", async (_what, arg, message) => {
    const file = "srv/config/config_fed_server.json";
    const { problems } = await problemsOf({ ...splitJob, [file]: workflowArg(arg) });
    expect(problems).toMatchObject([{ file, line: 8, message: expect.stringMatching(message) as string }]);
  });

  it("refuses links that leave the folder, lead nowhere, or stand for a folder", async () => {
    await write(goodJob);
    await writeFile(join(root, "secret"), "");
    await symlink(join(root, "secret"), join(folder, "app/custom/a"));
    await symlink("nowhere", join(folder, "app/custom/b"));
    await symlink("../config", join(folder, "app/custom/c"));
    const { problems } = await problemsOf({});
    expect(problems.map((problem) => problem.file).toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
      "app/custom/a",
      "app/custom/b",
      "app/custom/c",
    ]);
  });

  it.skipIf(process.platform !== "linux")("refuses names that are not UTF-8, which no other machine could read", async () => {
    await write(goodJob);
    const beside = (name: string): Buffer => Buffer.concat([Buffer.from(join(folder, "app/custom/", name)), Buffer.of(0xff)]);
    await writeFile(beside("file"), "");
    await mkdir(beside("folder"));
    await symlink(beside("file"), join(folder, "app/custom/link"));
    const { problems } = await problemsOf({});
    expect(problems.toSorted((a, b) => (String(a.file) < String(b.file) ? -1 : 1))).toEqual([
      { file: "app/custom/file\ufffd", message: "has a name that is not UTF-8" },
      { file: "app/custom/folder\ufffd", message: "has a name that is not UTF-8" },
      { file: "app/custom/link", message: "is a link to something that does not exist" },
    ]);
  });

  it("names all mistakes of all files at once", async () => {
    const { problems } = await problemsOf({
      ...goodJob,
      "meta.json": meta.replace("min_clients", "min_client"),
      [serverFile]: workflowArg(`"num_round": 3`),
      [clientFile]: executorArg(`"launch_onse": true`),
    });
    expect(problems.map((problem) => [problem.file, problem.line])).toEqual([
      ["meta.json", 4],
      [serverFile, 8],
      [clientFile, 8],
    ]);
  });

  it("says so when there is no such folder", async () => {
    await expect(readJobFolder(folder)).rejects.toMatchObject({ code: "file/not-found", message: `There is no job folder ${folder}.` });
    await writeFile(folder, "");
    await expect(readJobFolder(folder)).rejects.toMatchObject({ message: `${folder} is a file; a job is a folder with a meta.json.` });
  });
});
