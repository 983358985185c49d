"""Lets scripts that were written for NVIDIA FLARE find the Client API under the names that they import."""

import difflib
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
from types import ModuleType
from typing import Any, Callable, Dict, Optional, Sequence

from .nvflare_jobs import JOB_MODULES


def _client(module: ModuleType) -> None:
    import flare_client

    for name in flare_client.__all__:
        setattr(module, name, getattr(flare_client, name))


def _tracking(module: ModuleType) -> None:
    from . import tracking

    for name in ("SummaryWriter", "WandBWriter", "MLflowWriter"):
        setattr(module, name, getattr(tracking, name))


def _fl_model(module: ModuleType) -> None:
    from .fl_model import FLModel, ParamsType

    module.__dict__.update(FLModel=FLModel, ParamsType=ParamsType)


def _analytix(module: ModuleType) -> None:
    from .analytics import AnalyticsDataType

    module.__dict__.update(AnalyticsDataType=AnalyticsDataType)


def _np_constants(module: ModuleType) -> None:
    class NPConstants:
        NUMPY_KEY = "numpy_key"

    module.__dict__.update(NPConstants=NPConstants)


def _fl_constant(module: ModuleType) -> None:
    class FLMetaKey:
        NUM_STEPS_CURRENT_ROUND = "NUM_STEPS_CURRENT_ROUND"
        JOB_ID = "job_id"
        SITE_NAME = "site_name"

    module.__dict__.update(FLMetaKey=FLMetaKey)


def _dxo(module: ModuleType) -> None:
    class MetaKey:
        NUM_STEPS_CURRENT_ROUND = "NUM_STEPS_CURRENT_ROUND"

    module.__dict__.update(MetaKey=MetaKey)


def _app_constant(module: ModuleType) -> None:
    from .scaffold import DIFF_KEY, GLOBAL_KEY

    class AlgorithmConstants:
        SCAFFOLD_CTRL_DIFF = DIFF_KEY
        SCAFFOLD_CTRL_GLOBAL = GLOBAL_KEY

    class StatisticsConstants:
        STATS_COUNT = "count"
        STATS_FAILURE_COUNT = "failure_count"
        STATS_SUM = "sum"
        STATS_MEAN = "mean"
        STATS_MIN = "min"
        STATS_MAX = "max"
        STATS_VAR = "var"
        STATS_STDDEV = "stddev"
        STATS_HISTOGRAM = "histogram"
        STATS_QUANTILE = "quantile"
        STATS_DIGEST_COORD = "digest_coord"

    module.__dict__.update(AlgorithmConstants=AlgorithmConstants, StatisticsConstants=StatisticsConstants)


def _pt_scaffold(module: ModuleType) -> None:
    from .torch_scaffold import PTScaffoldHelper, get_lr_values

    module.__dict__.update(PTScaffoldHelper=PTScaffoldHelper, get_lr_values=get_lr_values)


def _fl_context(module: ModuleType) -> None:
    from .statistics.spec import SiteContext

    module.__dict__.update(FLContext=SiteContext)


def _statistics_spec(module: ModuleType) -> None:
    from .statistics import spec

    for name in ("Bin", "BinRange", "DataType", "Feature", "Histogram", "HistogramType", "StatisticConfig", "Statistics"):
        setattr(module, name, getattr(spec, name))


def _numpy_utils(module: ModuleType) -> None:
    from .statistics.buckets import dtype_to_data_type, get_std_histogram_buckets

    module.__dict__.update(dtype_to_data_type=dtype_to_data_type, get_std_histogram_buckets=get_std_histogram_buckets)


def _df_core_statistics(module: ModuleType) -> None:
    from .statistics.df_statistics import DFStatisticsCore

    module.__dict__.update(DFStatisticsCore=DFStatisticsCore)


def _psi_spec(module: ModuleType) -> None:
    from .psi.spec import PSI

    module.__dict__.update(PSI=PSI)


def _security_logging(module: ModuleType) -> None:
    from . import secure_logging

    for name in ("is_secure", "secure_format_exception", "secure_format_traceback", "secure_log_traceback"):
        setattr(module, name, getattr(secure_logging, name))


def _package(module: ModuleType) -> None:
    del module


def _job_names(module: ModuleType) -> None:
    """Names of job definitions are looked up when they are asked for: training scripts need none of what is behind them."""
    source, names = JOB_MODULES[module.__name__]

    def find(name: str) -> Any:
        if name in names:
            return getattr(importlib.import_module(source), names[name])
        raise AttributeError(f"flare-client has no {name} of {module.__name__}")

    module.__dict__.update(__getattr__=find, __all__=[*module.__dict__.get("__all__", []), *names])
    if module.__name__ == "nvflare.recipe":
        # Takes --export out of sys.argv before the script's own parser sees it.
        importlib.import_module(source)


#: What a module of NVIDIA FLARE has here. A module that is not in the list is missing, as a script's author should hear.
MODULES: Dict[str, Callable[[ModuleType], None]] = {
    "nvflare": _package,
    "nvflare.client": _client,
    "nvflare.client.tracking": _tracking,
    "nvflare.apis": _package,
    "nvflare.apis.analytix": _analytix,
    "nvflare.apis.dxo": _dxo,
    "nvflare.apis.fl_constant": _fl_constant,
    "nvflare.apis.fl_context": _fl_context,
    "nvflare.app_common": _package,
    "nvflare.app_common.abstract": _package,
    "nvflare.app_common.abstract.fl_model": _fl_model,
    "nvflare.app_common.abstract.statistics_spec": _statistics_spec,
    "nvflare.app_common.app_constant": _app_constant,
    "nvflare.app_common.np": _package,
    "nvflare.app_common.np.constants": _np_constants,
    "nvflare.app_common.psi": _package,
    "nvflare.app_common.psi.psi_spec": _psi_spec,
    "nvflare.app_common.statistics": _package,
    "nvflare.app_common.statistics.numpy_utils": _numpy_utils,
    "nvflare.app_opt": _package,
    "nvflare.app_opt.pt": _package,
    "nvflare.app_opt.pt.scaffold": _pt_scaffold,
    "nvflare.app_opt.statistics": _package,
    "nvflare.app_opt.statistics.df": _package,
    "nvflare.app_opt.statistics.df.df_core_statistics": _df_core_statistics,
    "nvflare.security": _package,
    "nvflare.security.logging": _security_logging,
}

for _name in JOB_MODULES:
    MODULES.setdefault(_name, _package)
    for _parent in (_name.rsplit(".", count)[0] for count in range(1, _name.count(".") + 1)):
        MODULES.setdefault(_parent, _package)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname: str, path: Optional[Sequence[Any]], target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        del path, target
        if fullname in MODULES:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if fullname.split(".")[0] == "nvflare":
            near = difflib.get_close_matches(fullname, MODULES, n=1, cutoff=0.9)
            hint = f"; did you mean {near[0]}?" if near else "; its README says what it has"
            raise ModuleNotFoundError(f"{fullname} is a module of NVIDIA FLARE that flare-client does not have{hint}", name=fullname)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        del spec

    def exec_module(self, module: ModuleType) -> None:
        MODULES[module.__name__](module)
        if module.__name__ in JOB_MODULES:
            _job_names(module)


def install_nvflare_names() -> None:
    """From now on ``import nvflare.client`` gives this package's Client API, also where NVIDIA FLARE is installed."""
    for name in [name for name in sys.modules if name.split(".")[0] == "nvflare"]:
        del sys.modules[name]
    find_nvflare_names()
    # Processes that multiprocessing starts anew get the path of this one and nothing else of it.
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "names"))


def find_nvflare_names() -> None:
    """The same without a look at what is imported already."""
    sys.meta_path.insert(0, _Finder())
