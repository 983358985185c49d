"""A job that is put together in Python, with the names and meanings of NVIDIA FLARE's job API::

    from flare_client.job import FedAvg, FedJob, PTModel, ScriptRunner

    job = FedJob(name="tumours", min_clients=2)
    job.to_server(FedAvg(num_clients=2, num_rounds=5))
    job.to_server(PTModel(Net()))
    job.to_clients(ScriptRunner(script="client.py", script_args="--epochs 2"))
    job.export_job("jobs")

:mod:`flare_client.recipe` has whole jobs of the usual kinds, and what runs them.
"""

from .base_jobs import BaseFedJob, FedAvgJob
from .client_api_executor import ClientAPIExecutor
from .errors import JobError
from .fed_job import FedJob
from .filters import (
    ClipNorm,
    ExcludeVars,
    GaussianPrivacy,
    ModelDequantizer,
    ModelQuantizer,
    PercentilePrivacy,
    SVTPrivacy,
)
from .kinds import ALL_SITES, DataKind, ExchangeFormat, FilterType, FrameworkType, JobMetaKey, TransferType
from .models import NPModelPersistor, PTFileModelPersistor, PTModel
from .psi_parts import CsvItems, DhPSIController, DhPSITaskHandler, FilePSIWriter, PSIExecutor
from .script_runner import ScriptRunner
from .server_components import (
    ConvertToFedEvent,
    FullModelShareableGenerator,
    IntimeModelSelector,
    InTimeAccumulateWeightedAggregator,
    MLflowReceiver,
    NPModelLocator,
    PTFedOptModelShareableGenerator,
    PTFileModelLocator,
    TBAnalyticsReceiver,
    ValidationJsonGenerator,
    WandBReceiver,
)
from .statistics_parts import (
    AddNoiseToMinMax,
    HierarchicalStatisticsController,
    HistogramBinsCleanser,
    JsonStatsFileWriter,
    MinCountCleanser,
    StatisticsController,
    StatisticsExecutor,
    StatisticsPrivacyFilter,
)
from .stats_job import StatsJob
from .workflows import (
    CrossSiteEval,
    CrossSiteModelEval,
    Cyclic,
    CyclicController,
    FedAvg,
    FedBuff,
    FedOpt,
    GlobalModelEval,
    Scaffold,
    ScatterAndGather,
)

__all__ = [
    "ALL_SITES",
    "AddNoiseToMinMax",
    "BaseFedJob",
    "ClientAPIExecutor",
    "ClipNorm",
    "ConvertToFedEvent",
    "CrossSiteEval",
    "CrossSiteModelEval",
    "CsvItems",
    "Cyclic",
    "CyclicController",
    "DataKind",
    "DhPSIController",
    "DhPSITaskHandler",
    "ExchangeFormat",
    "ExcludeVars",
    "FedAvg",
    "FedAvgJob",
    "FedBuff",
    "FedJob",
    "FedOpt",
    "FilePSIWriter",
    "FilterType",
    "FrameworkType",
    "FullModelShareableGenerator",
    "GaussianPrivacy",
    "GlobalModelEval",
    "InTimeAccumulateWeightedAggregator",
    "HierarchicalStatisticsController",
    "HistogramBinsCleanser",
    "IntimeModelSelector",
    "JobError",
    "JobMetaKey",
    "JsonStatsFileWriter",
    "MLflowReceiver",
    "MinCountCleanser",
    "ModelDequantizer",
    "ModelQuantizer",
    "NPModelLocator",
    "NPModelPersistor",
    "PTFedOptModelShareableGenerator",
    "PTFileModelLocator",
    "PTFileModelPersistor",
    "PTModel",
    "PSIExecutor",
    "PercentilePrivacy",
    "SVTPrivacy",
    "Scaffold",
    "ScatterAndGather",
    "ScriptRunner",
    "StatisticsController",
    "StatisticsExecutor",
    "StatisticsPrivacyFilter",
    "StatsJob",
    "TBAnalyticsReceiver",
    "TransferType",
    "ValidationJsonGenerator",
    "WandBReceiver",
]
