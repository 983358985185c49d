import {
  type ClientConfigDocument,
  executorFor,
  type FedAvgArgs,
  type JobMetaDocument,
  type Problem,
  type ReadDocument,
  type SecureAggregation,
  type ServerConfigDocument,
  serverTarget,
  strategyOf,
  tasksOf,
  type WorkflowArgs,
  type WorkflowTask,
} from "@flare-ts/contracts";
import { updatesNeededBy, whyNotOfSums } from "../workflow/job-strategy.js";
import type { JobApp, JobFolderFile } from "./job-folder.js";

/** An app with those of its configurations that could be read. */
export interface AppConfigs {
  readonly app: JobApp;
  readonly hasServerFile: boolean;
  readonly hasClientFile: boolean;
  readonly server: ReadDocument<ServerConfigDocument> | undefined;
  readonly client: ReadDocument<ClientConfigDocument> | undefined;
}

export interface CheckAppsInit {
  readonly meta: ReadDocument<JobMetaDocument>;
  readonly configs: readonly AppConfigs[];
  readonly files: ReadonlyMap<string, JobFolderFile>;
}

/** What does not fit between `meta.json`, the configurations of the apps, and the files that they name. */
export function checkApps(init: CheckAppsInit): Problem[] {
  return init.configs.flatMap((config) => [...checkFolder(init, config), ...checkServer(init, config), ...checkClient(init, config)]);
}

function checkFolder({ meta, files }: CheckAppsInit, { app, hasServerFile, hasClientFile }: AppConfigs): Problem[] {
  const complain = (message: string): Problem => meta.problemAt(["deploy_map", app.name], message);
  if (![...files.keys()].some((path) => path.startsWith(`${app.name}/`))) return [complain(`there is no folder '${app.name}'`)];
  const problems: Problem[] = [];
  if (app.runsOnServer && !hasServerFile)
    problems.push(complain(`'${app.name}' goes to the server, but has no config/config_fed_server.json`));
  if (app.runsOnSites && !hasClientFile) problems.push(complain(`'${app.name}' goes to sites, but has no config/config_fed_client.json`));
  return problems;
}

function checkServer({ meta }: CheckAppsInit, { app, server }: AppConfigs): Problem[] {
  if (server === undefined || !app.runsOnServer) return [];
  const sites = listedSites(meta.value);
  return server.value.workflows.flatMap(({ args }, index) => {
    const complain: Complain = (arg, message, ...more) => server.problemAt(["workflows", index, "args", arg, ...more], message);
    return [
      ...(args.kind === "FedAvg" ? checkNumbers(meta, args, complain) : []),
      ...(args.kind === "Psi" ? checkPair(meta) : []),
      ...(sites === undefined ? [] : checkSites(args, sites, complain)),
      ...(meta.value.secure_aggregation === undefined ? [] : checkSecure(args, meta.value.secure_aggregation, complain)),
    ];
  });
}

type Complain = (arg: string, message: string, ...more: (string | number)[]) => Problem;

/** What a workflow asks for that the sites of the job cannot give. */
function checkSites(args: WorkflowArgs, sites: readonly string[], complain: Complain): Problem[] {
  const tooMany = Object.entries(siteCounts(args)).flatMap(([name, count]) =>
    count === undefined || count <= sites.length
      ? []
      : [complain(name, `${name} is ${count}, but the job goes to ${sites.length} site(s)`)],
  );
  const strangers = namedSites(args).flatMap(([arg, place, site]) =>
    sites.includes(site) ? [] : [complain(arg, `'${site}' is not in deploy_map`, place)],
  );
  return [...tooMany, ...strangers];
}

/** Numbers of sites that a workflow asks for; a buffer holds one update of each at most, as a site trains a model once. */
function siteCounts(args: WorkflowArgs): Readonly<Record<string, number | undefined>> {
  if (args.kind === "ModelEvaluation" || args.kind === "Psi") return {};
  if (args.kind === "Statistics") return { min_clients: args.min_clients };
  if (args.kind === "Cyclic") return { num_clients: args.num_clients };
  if (args.kind !== "FedBuff") return { num_clients: args.num_clients, min_clients: args.min_clients };
  return { num_updates_for_model: args.num_updates_for_model, concurrency: args.concurrency, min_clients: args.min_clients };
}

/** Sites that a workflow names: the argument, the place in it, and the name. */
function namedSites(args: WorkflowArgs): (readonly [arg: string, place: string | number, site: string])[] {
  switch (args.kind) {
    case "FedAvg":
    case "FedBuff":
    case "Scaffold":
      return Object.keys(args.aggregation_weights).map((site) => ["aggregation_weights", site, site]);
    case "Cyclic":
      return typeof args.order === "string" ? [] : args.order.map((site, index) => ["order", index, site]);
    case "Statistics":
    case "Psi":
      return [];
    case "ModelEvaluation":
    default:
      return (args.participating_clients ?? []).map((site, index) => ["participating_clients", index, site]);
  }
}

/**
 * A strategy that needs several updates must get them in each round: of those sites that the job starts with, as many are asked,
 * and as many waited for.
 */
function checkNumbers(meta: ReadDocument<JobMetaDocument>, args: FedAvgArgs, complain: Complain): Problem[] {
  const { name } = strategyOf(args);
  const needed = updatesNeededBy(strategyOf(args));
  const problems: Problem[] = [];
  for (const arg of ["num_clients", "min_clients"] as const) {
    const count = args[arg];
    if (count !== undefined && count < needed)
      problems.push(complain(arg, `${arg} is ${count}, but ${name} with these settings needs ${needed} updates`));
  }
  const starting = meta.value.min_clients ?? 1;
  if (starting < needed) {
    const message = `min_clients is ${starting}, but the workflow's strategy ${name} needs ${needed} updates; the job must not start with fewer sites`;
    problems.push(meta.problemAt(["min_clients"], message));
  }
  return problems;
}

/** An intersection of one site would be all that it has. */
function checkPair(meta: ReadDocument<JobMetaDocument>): Problem[] {
  const { min_clients: starting = 1 } = meta.value;
  if (starting >= 2) return [];
  const message = `min_clients is ${starting}, but an intersection needs 2 sites; it is one of all sites that the job starts with`;
  return [meta.problemAt(["min_clients"], message)];
}

/** What does not fit to updates that the server cannot read. */
function checkSecure(args: WorkflowArgs, { minSites }: SecureAggregation, complain: Complain): Problem[] {
  if (args.kind !== "FedAvg")
    return [complain("kind", `secure_aggregation is for FedAvg alone; in ${args.kind} the server reads what sites send`)];
  const problems: Problem[] = [];
  const why = whyNotOfSums(strategyOf(args));
  if (why !== undefined) problems.push(complain("strategy", why));
  if (Object.keys(args.aggregation_weights).length > 0)
    problems.push(complain("aggregation_weights", "has no effect with secure_aggregation: the weights of updates are masked as well"));
  if (args.exclude_vars !== undefined)
    problems.push(complain("exclude_vars", "is not supported with secure_aggregation; leave tensors out at the sites, with ExcludeVars"));
  for (const arg of ["num_clients", "min_clients"] as const) {
    const count = args[arg];
    if (count !== undefined && count < minSites)
      problems.push(complain(arg, `${arg} is ${count}, but sums are of ${minSites} sites or more`));
  }
  return problems;
}

/** A form for the wire is for updates that are not masked. */
function checkForms(client: ReadDocument<ClientConfigDocument>): Problem[] {
  return client.value.task_result_filters.flatMap(({ updateForm }, i) =>
    updateForm === undefined
      ? []
      : [client.problemAt(["task_result_filters", i], `${updateForm} has no effect with secure_aggregation: masked updates have one form`)],
  );
}

function checkClient({ meta, configs, files }: CheckAppsInit, { app, client }: AppConfigs): Problem[] {
  if (client === undefined) return [];
  const problems = meta.value.secure_aggregation === undefined ? [] : checkForms(client);
  client.value.executors.forEach(({ executor }, i) => {
    const script = executor.args.kind === "ClientAPIExecutor" ? executor.args.task_script_path : undefined;
    if (script !== undefined && !files.has(`${app.name}/custom/${script}`)) {
      const path = ["executors", i, "executor", "args", "task_script_path"];
      problems.push(client.problemAt(path, `there is no file ${app.name}/custom/${script}`));
    }
  });
  return app.runsOnSites ? [...problems, ...checkTasks(configs, client)] : problems;
}

/** Tasks of the workflows that the executors of an app do not take, or take for another kind of task. */
function checkTasks(configs: readonly AppConfigs[], client: ReadDocument<ClientConfigDocument>): Problem[] {
  const server = configs.find((config) => config.app.runsOnServer)?.server;
  const workflows = server?.value.workflows ?? [];
  const tasks = workflows.flatMap(({ args }, index) => tasksOf(args).map((task) => ({ ...task, index })));
  const problems = tasks.flatMap(({ name, kind, arg, index }) => {
    const found = executorFor(client.value.executors, name);
    const problem = found === undefined ? undefined : kindProblem({ name, kind }, found.executor.args);
    return problem === undefined ? [] : (server?.problemAt(["workflows", index, "args", arg], problem) ?? []);
  });
  const missing = new Set(tasks.flatMap(({ name }) => (executorFor(client.value.executors, name) === undefined ? [name] : [])));
  const whose = workflows.length === 1 ? "workflow" : "workflows";
  return [
    ...problems,
    ...[...missing].map((name) => client.problemAt(["executors"], `no executor takes the task '${name}' of the ${whose}`)),
  ];
}

/** What scripts take a task for goes by its name. */
function kindProblem({ name, kind }: Pick<WorkflowTask, "name" | "kind">, args: ExecutorArgs): string | undefined {
  if (args.kind === "StatisticsExecutor")
    return kind === "statistics" ? undefined : `'${name}' goes to a StatisticsExecutor, which answers statistics alone`;
  if (args.kind === "PSIExecutor")
    return kind === "psi" ? undefined : `'${name}' goes to a PSIExecutor, which intersects identifiers alone`;
  const names = { train: args.train_task_name, evaluate: args.evaluate_task_name, submit_model: args.submit_model_task_name };
  if (kind === "train" || kind === "statistics" || kind === "psi") {
    const isEvaluation = name === names.evaluate && name !== names.train;
    return isEvaluation ? `'${name}' is the evaluate_task_name of the executor: scripts answer it with metrics alone` : undefined;
  }
  const arg = kind === "evaluate" ? "evaluate_task_name" : "submit_model_task_name";
  return name === names[kind] ? undefined : `is '${name}', and the executor's ${arg} is '${names[kind]}': scripts go by that`;
}

type ExecutorArgs = ClientConfigDocument["executors"][number]["executor"]["args"];

/** Sites that a deploy map names; `undefined` where it is for all that there are. */
export function listedSites(meta: JobMetaDocument): readonly string[] | undefined {
  const lists = Object.values(meta.deploy_map);
  if (lists.some((names) => names.length === 0 || names.includes("@ALL"))) return undefined;
  return lists.flat().filter((name) => name !== serverTarget);
}
