import { describe, expect, it } from "vitest";
import {
  client,
  clientFile,
  jobFolder,
  meta,
  problemsOf,
  refusalOf,
  server,
  serverFile,
  splitJob,
  type WrongJob,
  workflowArg,
} from "./job-folder.test-support.js";

jobFolder();

describe("readJobFolder, of workflows,", () => {
  const wrongJobs: readonly WrongJob[] = [
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
          "nvflare.app_common.workflows.swarm_controller.SwarmController",
        ),
      },
      serverFile,
      6,
      /not supported yet; supported: FedAvg, FedBuff, Scaffold, Cyclic/,
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
      /belongs to the first workflow with a model; this one goes on with the model of the one before/,
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
  ];

  it.each(wrongJobs)("refuses %s, with file and line", async (_what, files, file, line, message) => {
    const { code, problem } = await refusalOf(files, { file, message });
    expect({ code, problem }).toMatchObject({ code: "job/invalid", problem: { file } });
    expect(problem?.line).toBe(line);
  });

  it.each([
    ["num_clients above the sites of the job", `"num_clients": 3`, /goes to 2/],
    ["a weight for a site that is not in the job", `"aggregation_weights": { "site-7": 2 }`, /'site-7' is not in deploy_map/],
  ])("refuses %s", async (_what, arg, message) => {
    const file = "srv/config/config_fed_server.json";
    const { problems } = await problemsOf({ ...splitJob, [file]: workflowArg(arg) });
    expect(problems).toMatchObject([{ file, line: 8, message: expect.stringMatching(message) as string }]);
  });
});
