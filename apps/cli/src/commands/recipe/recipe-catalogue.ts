/** A recipe of the Python client: a whole job of a usual kind. */
export interface RecipeEntry {
  /** FLARE's, where it has one. */
  readonly name: string;
  readonly summary: string;
  readonly framework: "any" | "numpy" | "pytorch";
  readonly algorithm: string;
  /** The workflow that it comes to. */
  readonly workflow: string;
  /** Module in which FLARE's users find it. */
  readonly module: string;
  readonly className: string;
  /** Its name in `flare_client.recipe`. */
  readonly ownName: string;
  readonly required: readonly string[];
  /** Arguments that may be left out; those of FLARE that have no effect, or are refused, are not among them. */
  readonly optional: readonly string[];
}

const process = ["launch_external_process", "command"];
const memory = ["client_memory_gc_rounds", "cuda_empty_cache"];
const training = ["name", "model", "initial_ckpt", "num_rounds", "train_args", ...process, "server_expected_format", ...memory];
const rounds = [
  ...training,
  "framework",
  "params_transfer_type",
  "model_persistor",
  "per_site_config",
  "launch_once",
  "launch_timeout",
  "shutdown_timeout",
  "key_metric",
  "key_metric_mode",
  "stop_cond",
  "patience",
  "exclude_vars",
  "aggregation_weights",
  "strategy",
  "strategy_args",
];
const cyclic = [
  ...training,
  "min_clients",
  "framework",
  "params_transfer_type",
  "shutdown_timeout",
  "server_config_overrides",
  "client_config_overrides",
];
const trained = ["min_clients", "train_script"];

/** Every recipe, by name. */
export const recipes: readonly RecipeEntry[] = [
  {
    name: "cross-site-eval-numpy",
    summary: "a model, and those that sites hand in, are evaluated at every site",
    framework: "numpy",
    algorithm: "evaluation",
    workflow: "CrossSiteModelEval",
    module: "nvflare.app_common.np.recipes",
    className: "NumpyCrossSiteEvalRecipe",
    ownName: "NumpyCrossSiteEvalRecipe",
    required: [],
    optional: [
      "name",
      "min_clients",
      "eval_script",
      "eval_args",
      ...process,
      "initial_ckpt",
      "model_dir",
      "model_name",
      "submit_model_timeout",
      "validation_timeout",
      ...memory,
    ],
  },
  {
    name: "cyclic",
    summary: "the model goes from site to site",
    framework: "any",
    algorithm: "cyclic",
    workflow: "Cyclic",
    module: "nvflare.recipe.cyclic",
    className: "CyclicRecipe",
    ownName: "CyclicRecipe",
    required: ["train_script"],
    optional: cyclic,
  },
  {
    name: "cyclic-pt",
    summary: "the model goes from site to site, in PyTorch",
    framework: "pytorch",
    algorithm: "cyclic",
    workflow: "Cyclic",
    module: "nvflare.app_opt.pt.recipes.cyclic",
    className: "CyclicRecipe",
    ownName: "PTCyclicRecipe",
    required: ["train_script"],
    optional: cyclic,
  },
  {
    name: "dh-psi",
    summary: "which identifiers all sites have, and nothing of the others",
    framework: "any",
    algorithm: "psi",
    workflow: "DhPSIController",
    module: "nvflare.app_common.psi.recipes.dh_psi",
    className: "DhPSIRecipe",
    ownName: "DhPSIRecipe",
    required: ["min_clients", "local_psi"],
    optional: ["name", "output_path"],
  },
  {
    name: "fedavg",
    summary: "every site trains, and the updates become the next model",
    framework: "any",
    algorithm: "fedavg",
    workflow: "FedAvg",
    module: "nvflare.recipe.fedavg",
    className: "FedAvgRecipe",
    ownName: "FedAvgRecipe",
    required: trained,
    optional: rounds,
  },
  {
    name: "fedavg-numpy",
    summary: "the same, in NumPy",
    framework: "numpy",
    algorithm: "fedavg",
    workflow: "FedAvg",
    module: "nvflare.app_common.np.recipes.fedavg",
    className: "NumpyFedAvgRecipe",
    ownName: "NumpyFedAvgRecipe",
    required: trained,
    optional: [...rounds, "initial_model"],
  },
  {
    name: "fedavg-pt",
    summary: "the same, in PyTorch",
    framework: "pytorch",
    algorithm: "fedavg",
    workflow: "FedAvg",
    module: "nvflare.app_opt.pt.recipes.fedavg",
    className: "FedAvgRecipe",
    ownName: "PTFedAvgRecipe",
    required: trained,
    optional: rounds,
  },
  {
    name: "fedbuff",
    summary: "nobody waits for a slow site: a few updates at a time become the next model",
    framework: "any",
    algorithm: "fedbuff",
    workflow: "FedBuff",
    module: "flare_client.recipe",
    className: "FedBuffRecipe",
    ownName: "FedBuffRecipe",
    required: trained,
    optional: [
      ...training,
      "num_updates_for_model",
      "concurrency",
      "max_staleness",
      "strategy_args",
      "key_metric",
      "stop_cond",
      "patience",
      "framework",
      "params_transfer_type",
    ],
  },
  {
    name: "fedeval-pt",
    summary: "a model is evaluated at every site, in PyTorch",
    framework: "pytorch",
    algorithm: "evaluation",
    workflow: "GlobalModelEval",
    module: "nvflare.app_opt.pt.recipes.fedeval",
    className: "FedEvalRecipe",
    ownName: "FedEvalRecipe",
    required: ["eval_ckpt", "min_clients", "eval_script"],
    optional: ["name", "model", "eval_args", ...process, "server_expected_format", "validation_timeout", "per_site_config", ...memory],
  },
  {
    name: "fedopt-pt",
    summary: "FedAvg with an optimizer at the server: SGD, Adam or Adagrad",
    framework: "pytorch",
    algorithm: "fedopt",
    workflow: "FedAvg",
    module: "nvflare.app_opt.pt.recipes.fedopt",
    className: "FedOptRecipe",
    ownName: "FedOptRecipe",
    required: trained,
    optional: [...training, "device", "optimizer_args", "lr_scheduler_args"],
  },
  {
    name: "fedprox-pt",
    summary: "FedAvg in which sites keep near the global model",
    framework: "pytorch",
    algorithm: "fedprox",
    workflow: "FedAvg",
    module: "nvflare.app_opt.pt.recipes.fedprox",
    className: "FedProxRecipe",
    ownName: "FedProxRecipe",
    required: trained,
    optional: [...rounds, "fedprox_mu"],
  },
  {
    name: "fedstats",
    summary: "statistics of what data sets have, without training",
    framework: "any",
    algorithm: "fedstats",
    workflow: "StatisticsController",
    module: "nvflare.recipe.fedstats",
    className: "FedStatsRecipe",
    ownName: "FedStatsRecipe",
    required: ["name", "stats_output_path", "sites", "statistic_configs", "stats_generator"],
    optional: ["min_count", "min_noise_level", "max_noise_level", "max_bins_percent", "hierarchy_config"],
  },
  {
    name: "scaffold-pt",
    summary: "SCAFFOLD, for sites whose data differ much",
    framework: "pytorch",
    algorithm: "scaffold",
    workflow: "Scaffold",
    module: "nvflare.app_opt.pt.recipes.scaffold",
    className: "ScaffoldRecipe",
    ownName: "ScaffoldRecipe",
    required: trained,
    optional: [...training, "params_transfer_type"],
  },
];
