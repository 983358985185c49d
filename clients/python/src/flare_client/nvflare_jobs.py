"""Which names of NVIDIA FLARE's job API, recipes and admin's session are answered by which of ours."""

from typing import Dict, Mapping, Tuple

_ADMIN_ERRORS = (
    "AuthenticationError AuthorizationError ClientsStillRunning CommandError InternalError InvalidArgumentError InvalidJobDefinition InvalidTarget "
    "JobNotDone JobNotFound JobNotRunning JobTimeout NoClientsAvailable NoConnection NoReply SessionClosed SessionExpired SubmitTokenConflict "
    "SubmitTokenJobDeleted"
)
_ADMIN = f"ClientInfo JobInfo MonitorReturnCode ServerInfo SystemInfo TargetType {_ADMIN_ERRORS}"
_FUNCTIONS = "add_cross_site_evaluation add_experiment_tracking add_final_global_evaluation set_per_site_config set_recipe_meta"

#: Module of NVIDIA FLARE: our module, and the names in it, each with that of ours where they differ.
JOB_MODULES: Mapping[str, Tuple[str, Dict[str, str]]] = {
    module: (f"flare_client.{ours}", {name.split("=")[0]: name.split("=")[-1] for name in names.split()})
    for module, ours, names in (
        ("nvflare.recipe", "recipe", f"FedAvgRecipe PocEnv ProdEnv Run SimEnv {_FUNCTIONS}"),
        ("nvflare.recipe.cyclic", "recipe", "CyclicRecipe"),
        ("nvflare.recipe.fedavg", "recipe", "FedAvgRecipe"),
        ("nvflare.recipe.fedstats", "recipe", "FedStatsRecipe"),
        ("nvflare.recipe.poc_env", "recipe", "PocEnv"),
        ("nvflare.recipe.prod_env", "recipe", "ProdEnv"),
        ("nvflare.recipe.run", "recipe", "Run"),
        ("nvflare.recipe.sim_env", "recipe", "SimEnv"),
        ("nvflare.recipe.spec", "recipe", "ExecEnv Recipe"),
        ("nvflare.recipe.utils", "recipe", _FUNCTIONS),
        ("nvflare.app_common.psi.recipes.dh_psi", "recipe", "DhPSIRecipe"),
        ("nvflare.app_common.psi.dh_psi.dh_psi_controller", "job", "DhPSIController"),
        ("nvflare.app_common.psi.file_psi_writer", "job", "FilePSIWriter"),
        ("nvflare.app_common.psi.psi_executor", "job", "PSIExecutor"),
        ("nvflare.app_opt.psi.dh_psi.dh_psi_task_handler", "job", "DhPSITaskHandler"),
        ("nvflare.app_common.np.recipes", "recipe", "NumpyCrossSiteEvalRecipe NumpyFedAvgRecipe"),
        ("nvflare.app_common.np.recipes.cross_site_eval", "recipe", "NumpyCrossSiteEvalRecipe"),
        ("nvflare.app_common.np.recipes.fedavg", "recipe", "NumpyFedAvgRecipe"),
        (
            "nvflare.app_opt.pt.recipes",
            "recipe",
            "CyclicRecipe=PTCyclicRecipe FedAvgRecipe=PTFedAvgRecipe FedEvalRecipe FedOptRecipe FedProxRecipe ScaffoldRecipe",
        ),
        ("nvflare.app_opt.pt.recipes.cyclic", "recipe", "CyclicRecipe=PTCyclicRecipe"),
        ("nvflare.app_opt.pt.recipes.fedavg", "recipe", "FedAvgRecipe=PTFedAvgRecipe"),
        ("nvflare.app_opt.pt.recipes.fedeval", "recipe", "FedEvalRecipe"),
        ("nvflare.app_opt.pt.recipes.fedopt", "recipe", "FedOptRecipe"),
        ("nvflare.app_opt.pt.recipes.fedprox", "recipe", "FedProxRecipe"),
        ("nvflare.app_opt.pt.recipes.scaffold", "recipe", "ScaffoldRecipe"),
        ("nvflare.job_config.api", "job", "FedJob"),
        ("nvflare.job_config.base_fed_job", "job", "BaseFedJob"),
        ("nvflare.job_config.defs", "job", "FilterType"),
        ("nvflare.job_config.stats_job", "job", "StatsJob"),
        ("nvflare.job_config.script_runner", "job", "FrameworkType ScriptRunner"),
        ("nvflare.app_opt.pt.job_config.base_fed_job", "job", "BaseFedJob"),
        ("nvflare.app_opt.pt.job_config.fed_avg", "job", "FedAvgJob"),
        ("nvflare.app_opt.pt.job_config.model", "job", "PTModel"),
        ("nvflare.app_opt.pt.file_model_persistor", "job", "PTFileModelPersistor"),
        ("nvflare.app_opt.pt.file_model_locator", "job", "PTFileModelLocator"),
        ("nvflare.app_opt.pt.fedopt", "job", "PTFedOptModelShareableGenerator"),
        ("nvflare.app_opt.pt.fedopt_ctl", "job", "FedOpt"),
        ("nvflare.app_opt.pt.quantization.quantizer", "job", "ModelQuantizer"),
        ("nvflare.app_opt.pt.quantization.dequantizer", "job", "ModelDequantizer"),
        ("nvflare.app_opt.tracking.tb.tb_receiver", "job", "TBAnalyticsReceiver"),
        ("nvflare.app_opt.tracking.mlflow.mlflow_receiver", "job", "MLflowReceiver"),
        ("nvflare.app_opt.tracking.wandb.wandb_receiver", "job", "WandBReceiver"),
        ("nvflare.app_common.np.np_model_locator", "job", "NPModelLocator"),
        ("nvflare.app_common.np.np_model_persistor", "job", "NPModelPersistor"),
        ("nvflare.app_common.executors.client_api_executor", "job", "ClientAPIExecutor"),
        ("nvflare.app_common.filters.exclude_vars", "job", "ExcludeVars"),
        ("nvflare.app_common.filters.percentile_privacy", "job", "PercentilePrivacy"),
        ("nvflare.app_common.filters.svt_privacy", "job", "SVTPrivacy"),
        ("nvflare.app_common.filters", "job", "ExcludeVars PercentilePrivacy SVTPrivacy"),
        ("nvflare.app_common.filters.statistics_privacy_filter", "job", "StatisticsPrivacyFilter"),
        ("nvflare.app_common.executors.statistics.statistics_executor", "job", "StatisticsExecutor"),
        ("nvflare.app_common.statistics.histogram_bins_cleanser", "job", "HistogramBinsCleanser"),
        ("nvflare.app_common.statistics.json_stats_file_persistor", "job", "JsonStatsFileWriter"),
        ("nvflare.app_common.statistics.min_count_cleanser", "job", "MinCountCleanser"),
        ("nvflare.app_common.statistics.min_max_cleanser", "job", "AddNoiseToMinMax"),
        (
            "nvflare.app_common.aggregators.intime_accumulate_model_aggregator",
            "job",
            "InTimeAccumulateWeightedAggregator",
        ),
        ("nvflare.app_common.aggregators", "job", "InTimeAccumulateWeightedAggregator"),
        ("nvflare.app_common.shareablegenerators", "job", "FullModelShareableGenerator"),
        ("nvflare.app_common.shareablegenerators.full_model_shareable_generator", "job", "FullModelShareableGenerator"),
        ("nvflare.app_common.widgets.convert_to_fed_event", "job", "ConvertToFedEvent"),
        ("nvflare.app_common.widgets.intime_model_selector", "job", "IntimeModelSelector"),
        ("nvflare.app_common.widgets.validation_json_generator", "job", "ValidationJsonGenerator"),
        ("nvflare.app_common.workflows.cross_site_eval", "job", "CrossSiteEval"),
        ("nvflare.app_common.workflows.cross_site_model_eval", "job", "CrossSiteModelEval"),
        ("nvflare.app_common.workflows.cyclic", "job", "Cyclic"),
        ("nvflare.app_common.workflows.cyclic_ctl", "job", "CyclicController"),
        ("nvflare.app_common.workflows.fedavg", "job", "FedAvg"),
        ("nvflare.app_common.workflows.global_model_eval", "job", "GlobalModelEval"),
        ("nvflare.app_common.workflows.hierarchical_statistics_controller", "job", "HierarchicalStatisticsController"),
        ("nvflare.app_common.workflows.scaffold", "job", "Scaffold"),
        ("nvflare.app_common.workflows.scatter_and_gather", "job", "ScatterAndGather"),
        ("nvflare.app_common.workflows.statistics_controller", "job", "StatisticsController"),
        ("nvflare.apis.dxo", "job", "DataKind"),
        ("nvflare.apis.job_def", "job", "ALL_SITES JobMetaKey"),
        ("nvflare.client.config", "job", "ExchangeFormat TransferType"),
        ("nvflare.fuel.flare_api.api_spec", "admin", f"SessionSpec=Session {_ADMIN}"),
        (
            "nvflare.fuel.flare_api.flare_api",
            "admin",
            f"Session basic_cb_with_print new_insecure_session new_secure_session new_session {_ADMIN}",
        ),
        ("nvflare.fuel.utils.constants", "job", "FrameworkType"),
        ("nvflare", "job", "FedJob FilterType"),
    )
}
