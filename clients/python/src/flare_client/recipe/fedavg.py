"""FedAvg as a recipe, for every library, for NumPy and for PyTorch; and FedProx."""

import re
import warnings
from typing import Any, Dict, Mapping, Optional, Sequence

from ..job import FedAvg, FedJob, FrameworkType, JobError
from ..job.arguments import Other, idle, settle
from ..job.component import ServerModel
from ..job.initial_model import GivenModel
from ..job.kinds import DataKind, ExchangeFormat, TransferType
from ..job.workflows import AGGREGATOR
from .spec import COMMON, Recipe

_BEST = idle(None, "the best model comes with the job's result, as best_FL_global_model.safetensors")


class FedAvgRecipe(Recipe):
    """Rounds in which every site trains the model and the updates become the next one.

    :param name: of the job
    :param model: a torch module, ``{"class_path": ..., "args": {...}}`` of one, an array, or arrays by name
    :param initial_ckpt: file on this machine with the first weights: .safetensors, .npy, .npz, or of PyTorch
    :param min_clients: sites that take part in each round
    :param train_script: with the modules beside it that it imports
    :param launch_external_process: whether ``command``, ``launch_once`` and the time-outs count
    :param key_metric: by which the best model is chosen; ``key_metric_mode`` says whether ``max`` or ``min`` is best
    :param stop_cond: such as ``accuracy >= 80``
    :param patience: rounds without a better model after which training ends
    :param exclude_vars: regular expression of tensors that are not aggregated
    :param aggregation_weights: factors by site
    :param strategy: not FLARE's: how updates are combined, a name of ``docs/strategies.md``, with its settings in ``strategy_args``
    :raises JobError: for what is wrong, unknown, or not here
    """

    _others: Dict[str, Other] = {
        **COMMON,
        "aggregator": AGGREGATOR,
        "aggregator_data_kind": idle(DataKind.WEIGHTS, "the server takes models and differences"),
        "model_locator": idle(None, "the server's models are in its store"),
        "best_model_filename": _BEST,
        "save_filename": _BEST,
    }
    framework = FrameworkType.PYTORCH

    def __init__(
        self,
        *,
        name: str = "fedavg",
        model: Any = None,
        initial_ckpt: Optional[str] = None,
        min_clients: int,
        num_rounds: int = 2,
        train_script: str,
        train_args: Any = "",
        launch_external_process: bool = False,
        command: Any = "python3 -u",
        framework: Optional[FrameworkType] = None,
        server_expected_format: ExchangeFormat = ExchangeFormat.NUMPY,
        params_transfer_type: TransferType = TransferType.FULL,
        model_persistor: Optional[ServerModel] = None,
        per_site_config: Optional[Mapping[str, Mapping[str, Any]]] = None,
        launch_once: bool = True,
        launch_timeout: Optional[float] = 300.0,
        shutdown_timeout: float = 0.0,
        key_metric: str = "accuracy",
        key_metric_mode: Optional[str] = None,
        stop_cond: Optional[str] = None,
        patience: Optional[int] = None,
        exclude_vars: Optional[str] = None,
        aggregation_weights: Optional[Mapping[str, float]] = None,
        client_memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
        strategy: Optional[str] = None,
        strategy_args: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        self.framework = framework or type(self).framework
        self.min_clients = min_clients
        self.num_rounds = num_rounds
        job = FedJob(name=name, min_clients=min_clients)
        if model_persistor is not None and not isinstance(model_persistor, ServerModel):
            raise JobError("'model_persistor' can be a PTFileModelPersistor or an NPModelPersistor: no code of a job runs at the server")
        job.to_server(model_persistor or first_model(model, initial_ckpt))
        job.to_server(
            FedAvg(
                num_clients=min_clients,
                num_rounds=num_rounds,
                key_metric=key_metric,
                negate_key_metric=_mode(key_metric, key_metric_mode, stop_cond) == "min",
                stop_cond=stop_cond,
                patience=patience,
                exclude_vars=exclude_vars,
                aggregation_weights=aggregation_weights,
                strategy=strategy,
                strategy_args=strategy_args,
                **self._workflow_arguments(),
            )
        )
        runner = {
            "train_script": train_script,
            "train_args": train_args,
            "launch_external_process": launch_external_process,
            "command": command,
            "framework": self.framework,
            "server_expected_format": server_expected_format,
            "params_transfer_type": params_transfer_type,
            "launch_once": launch_once,
            "launch_timeout": launch_timeout,
            "shutdown_timeout": shutdown_timeout,
            "client_memory_gc_rounds": client_memory_gc_rounds,
            "cuda_empty_cache": cuda_empty_cache,
        }
        super().__init__(job, runner)
        if per_site_config is not None:
            warnings.warn("per_site_config is deprecated; call set_per_site_config", FutureWarning, stacklevel=2)
            self.set_per_site_config(per_site_config)

    def _workflow_arguments(self) -> Mapping[str, Any]:
        return {}


class NumpyFedAvgRecipe(FedAvgRecipe):
    """FedAvg for scripts that compute with NumPy. The model is an array, which scripts find as ``numpy_key``, or arrays by name.

    ``initial_model`` is FLARE's older name for ``model``.
    """

    framework = FrameworkType.NUMPY

    def __init__(self, *, model: Any = None, initial_model: Any = None, **arguments: Any):
        super().__init__(model=initial_model if model is None else model, **arguments)


class PTFedAvgRecipe(FedAvgRecipe):
    """FedAvg for scripts that compute with PyTorch, FLARE's ``nvflare.app_opt.pt.recipes.fedavg.FedAvgRecipe``."""


class FedProxRecipe(PTFedAvgRecipe):
    """FedAvg in which scripts keep near the global model: they find ``fedprox_mu`` in the model's ``meta``, and add the term to their loss."""

    def __init__(self, *, name: str = "fedprox", fedprox_mu: float = 0.01, **arguments: Any):
        self._mu = fedprox_mu
        super().__init__(name=name, **arguments)

    def _workflow_arguments(self) -> Mapping[str, Any]:
        return {"fedprox_mu": self._mu}


def first_model(model: Any, checkpoint: Optional[str]) -> GivenModel:
    """The first model of a recipe.

    :raises JobError: when there is none
    """
    if model is None and checkpoint is None:
        raise JobError("a job begins with a model: give 'model' or 'initial_ckpt'")
    return GivenModel(model, checkpoint)


def _mode(metric: str, mode: Optional[str], stop_cond: Optional[str]) -> str:
    """Whether the greatest or the smallest value is best: as it is said, else as the condition to stop has it."""
    modes: Sequence[str] = ("max", "min")
    if mode is not None and mode not in modes:
        raise JobError(f"'key_metric_mode' is '{mode}'; it can be 'max' or 'min'")
    said = re.match(r"\s*([^\s<>=]+)\s*([<>])", stop_cond or "")
    implied = None if said is None or said.group(1) != metric else "min" if said.group(2) == "<" else "max"
    if mode is not None and implied is not None and mode != implied:
        raise JobError(f"'key_metric_mode' is '{mode}', and by '{stop_cond}' the other is best")
    return mode or implied or "max"
