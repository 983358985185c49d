"""Recipes of other workflows: FedOpt, FedBuff, SCAFFOLD, cyclic training."""

from typing import Any, Dict, Mapping, Optional

from ..job import Cyclic, FedAvg, FedBuff, FedJob, FrameworkType, JobError, Scaffold
from ..job.arguments import Other, checked_call, idle, settle
from ..job.kinds import ExchangeFormat, TransferType
from ..job.optimizers import strategy_of
from ..job.workflows import AGGREGATOR, OFFLOAD, POLLING
from .fedavg import first_model
from .spec import COMMON, Recipe

_MEMORY_ROUNDS = idle(1, "nothing is kept in memory between rounds")


class FedOptRecipe(Recipe):
    """FedAvg with an optimizer of PyTorch at the server, which becomes one of the strategies: SGD, Adam or Adagrad.

    :param optimizer_args: ``{"path": "torch.optim.SGD", "args": {"lr": 1.0, "momentum": 0.6}}``; without it, SGD with 1.0
    :raises JobError: for an optimizer, or a setting of one, that has no counterpart
    """

    framework = FrameworkType.PYTORCH
    _others: Dict[str, Other] = {
        "server_memory_gc_rounds": _MEMORY_ROUNDS,
        "enable_tensor_disk_offload": OFFLOAD,
        "aggregator": AGGREGATOR,
        "source_model": idle("model", "the job's first model goes with it"),
    }

    def __init__(
        self,
        *,
        name: str = "fedopt",
        model: Any = None,
        initial_ckpt: Optional[str] = None,
        min_clients: int,
        num_rounds: int = 2,
        train_script: str,
        train_args: Any = "",
        launch_external_process: bool = False,
        command: Any = "python3 -u",
        server_expected_format: ExchangeFormat = ExchangeFormat.NUMPY,
        device: Optional[str] = None,
        optimizer_args: Optional[Mapping[str, Any]] = None,
        lr_scheduler_args: Optional[Mapping[str, Any]] = None,
        client_memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
        **others: Any,
    ):
        settle(self, others, self._others)
        self.min_clients = min_clients
        self.num_rounds = num_rounds
        strategy = strategy_of(type(self).__name__, optimizer_args, lr_scheduler_args, device)
        job = FedJob(name=name, min_clients=min_clients)
        job.to_server(first_model(model, initial_ckpt))
        job.to_server(FedAvg(min_clients=min_clients, num_rounds=num_rounds, **strategy))
        runner = {
            "train_script": train_script,
            "train_args": train_args,
            "launch_external_process": launch_external_process,
            "command": command,
            "framework": self.framework,
            "server_expected_format": server_expected_format,
            "client_memory_gc_rounds": client_memory_gc_rounds,
            "cuda_empty_cache": cuda_empty_cache,
        }
        super().__init__(job, runner)


class FedBuffRecipe(Recipe):
    """Nobody waits for a slow site: every so many updates make a new model, whichever models they were made from. Not FLARE's.

    :param num_rounds: models that are made at most
    :param num_updates_for_model: updates that make a new model; half of the sites where it is not given
    :param max_staleness: models that may have been made since the one that an update was made from
    """

    framework = FrameworkType.NUMPY

    @checked_call
    def __init__(
        self,
        *,
        name: str = "fedbuff",
        model: Any = None,
        initial_ckpt: Optional[str] = None,
        min_clients: int,
        num_rounds: int = 2,
        num_updates_for_model: Optional[int] = None,
        concurrency: Optional[int] = None,
        max_staleness: Optional[int] = None,
        strategy_args: Optional[Mapping[str, Any]] = None,
        key_metric: Optional[str] = None,
        stop_cond: Optional[str] = None,
        patience: Optional[int] = None,
        train_script: str,
        train_args: Any = "",
        launch_external_process: bool = False,
        command: Any = "python3 -u",
        framework: Optional[FrameworkType] = None,
        server_expected_format: ExchangeFormat = ExchangeFormat.NUMPY,
        params_transfer_type: TransferType = TransferType.FULL,
        client_memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
    ):
        self.framework = framework or type(self).framework
        self.min_clients = min_clients
        self.num_rounds = num_rounds
        job = FedJob(name=name, min_clients=min_clients)
        job.to_server(first_model(model, initial_ckpt))
        job.to_server(
            FedBuff(
                num_rounds=num_rounds,
                num_updates_for_model=num_updates_for_model,
                concurrency=concurrency,
                max_staleness=max_staleness,
                strategy_args=strategy_args,
                key_metric=key_metric,
                stop_cond=stop_cond,
                patience=patience,
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
            "client_memory_gc_rounds": client_memory_gc_rounds,
            "cuda_empty_cache": cuda_empty_cache,
        }
        super().__init__(job, runner)


class ScaffoldRecipe(Recipe):
    """SCAFFOLD, for scripts that use control variates."""

    framework = FrameworkType.PYTORCH

    def __init__(
        self,
        *,
        name: str = "scaffold",
        model: Any = None,
        initial_ckpt: Optional[str] = None,
        min_clients: int,
        num_rounds: int = 2,
        train_script: str,
        train_args: Any = "",
        launch_external_process: bool = False,
        command: Any = "python3 -u",
        server_expected_format: ExchangeFormat = ExchangeFormat.NUMPY,
        params_transfer_type: TransferType = TransferType.FULL,
        client_memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
        **others: Any,
    ):
        settle(self, others, COMMON)
        self.min_clients = min_clients
        self.num_rounds = num_rounds
        job = FedJob(name=name, min_clients=min_clients)
        job.to_server(first_model(model, initial_ckpt))
        job.to_server(Scaffold(num_clients=min_clients, num_rounds=num_rounds))
        runner = {
            "train_script": train_script,
            "train_args": train_args,
            "launch_external_process": launch_external_process,
            "command": command,
            "framework": self.framework,
            "server_expected_format": server_expected_format,
            "params_transfer_type": params_transfer_type,
            "client_memory_gc_rounds": client_memory_gc_rounds,
            "cuda_empty_cache": cuda_empty_cache,
        }
        super().__init__(job, runner)


class CyclicRecipe(Recipe):
    """The model goes from site to site, and each trains what the one before has made of it."""

    framework = FrameworkType.NUMPY
    _others: Dict[str, Other] = {
        "server_memory_gc_rounds": _MEMORY_ROUNDS,
        "task_assignment_timeout": idle(10, "tasks are pushed, and a site whose task does not move is passed over"),
    }
    #: FLARE's arguments of the controller that ``server_config_overrides`` may repeat.
    _server: Dict[str, Other] = {
        "task_assignment_timeout": _others["task_assignment_timeout"],
        "task_check_period": idle(0.5, POLLING),
        "memory_gc_rounds": _MEMORY_ROUNDS,
    }

    def __init__(
        self,
        *,
        name: str = "cyclic",
        model: Any = None,
        initial_ckpt: Optional[str] = None,
        num_rounds: int = 2,
        min_clients: int = 2,
        train_script: str,
        train_args: Any = "",
        launch_external_process: bool = False,
        command: Any = "python3 -u",
        framework: Optional[FrameworkType] = None,
        server_expected_format: ExchangeFormat = ExchangeFormat.NUMPY,
        params_transfer_type: TransferType = TransferType.FULL,
        client_memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
        shutdown_timeout: float = 0.0,
        server_config_overrides: Optional[Mapping[str, Any]] = None,
        client_config_overrides: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        if min_clients < 2:
            raise JobError("a cyclic job needs two sites at least")
        self.framework = framework or type(self).framework
        self.min_clients = min_clients
        self.num_rounds = num_rounds
        job = FedJob(name=name, min_clients=min_clients)
        job.to_server(first_model(model, initial_ckpt))
        job.to_server(Cyclic(**{"num_rounds": num_rounds, **self._overrides(server_config_overrides)}))
        runner = {
            "train_script": train_script,
            "train_args": train_args,
            "launch_external_process": launch_external_process,
            "command": command,
            "framework": self.framework,
            "server_expected_format": server_expected_format,
            "params_transfer_type": params_transfer_type,
            "client_memory_gc_rounds": client_memory_gc_rounds,
            "cuda_empty_cache": cuda_empty_cache,
            "shutdown_timeout": shutdown_timeout,
        }
        names = {"script": "train_script", "script_args": "train_args", "memory_gc_rounds": "client_memory_gc_rounds"}
        super().__init__(job, {**runner, **{names.get(key, key): value for key, value in (client_config_overrides or {}).items()}})

    def _overrides(self, given: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
        own = {name: value for name, value in (given or {}).items() if name in ("num_rounds", "order", "task_name")}
        settle(self, {name: value for name, value in (given or {}).items() if name not in own}, self._server)
        return own


class PTCyclicRecipe(CyclicRecipe):
    """The same for PyTorch, FLARE's ``nvflare.app_opt.pt.recipes.cyclic.CyclicRecipe``."""

    framework = FrameworkType.PYTORCH
