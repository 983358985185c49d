"""The workflows of a job, with FLARE's names and arguments."""

from typing import Any, Dict, Mapping, Optional, Sequence, Union

from .arguments import Other, checked_call, idle, refused, settle
from .component import ServerModel, Workflow
from .errors import JobError
from .initial_model import GivenModel, is_model
from .optimizers import strategy_of

MEMORY = idle(0, "nothing is kept in memory between rounds")
OFFLOAD = idle(False, "updates are always on disk")
AGGREGATOR = refused(None, "no code of a job runs at the server; name a way to combine updates by 'strategy'")
PERSISTOR = idle("persistor", "the first model goes with the job, and all others are in the server's store")
POLLING = "nothing is polled"

_ROUNDS: Mapping[str, Other] = {
    "persistor_id": PERSISTOR,
    "memory_gc_rounds": MEMORY,
    "enable_tensor_disk_offload": OFFLOAD,
    "ignore_result_error": idle(None, "a round goes on without what cannot be used, as its min_clients allows"),
    "allow_empty_global_weights": refused(False, "a job begins with a model"),
    "task_check_period": idle(0.5, POLLING),
    "persist_every_n_rounds": idle(1, "each model is kept before the next round begins"),
    "snapshot_every_n_rounds": idle(1, "each round is in the journal"),
}


class FedAvg(Workflow):
    """Rounds in which the updates of several sites become a model.

    ``strategy`` and ``strategy_args`` are not FLARE's: how updates are combined, by the names of ``docs/strategies.md``.
    """

    path = "FedAvg"
    is_training = True
    _others = {
        **_ROUNDS,
        "aggregator": AGGREGATOR,
        "save_filename": idle("FL_global_model.pt", "the global model comes with the job's result, as FL_global_model.safetensors"),
    }

    def __init__(
        self,
        *,
        num_clients: Optional[int] = None,
        num_rounds: int = 5,
        start_round: int = 0,
        model: Any = None,
        stop_cond: Optional[str] = None,
        patience: Optional[int] = None,
        task_name: str = "train",
        exclude_vars: Union[str, Sequence[str], None] = None,
        aggregation_weights: Optional[Mapping[str, float]] = None,
        fedprox_mu: Optional[float] = None,
        key_metric: Optional[str] = None,
        negate_key_metric: bool = False,
        min_clients: Optional[int] = None,
        train_timeout: Optional[float] = None,
        wait_time_after_min_received: Optional[float] = None,
        strategy: Optional[str] = None,
        strategy_args: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        self._model = model
        super().__init__(
            num_clients=num_clients,
            num_rounds=num_rounds,
            start_round=start_round or None,
            stop_cond=stop_cond,
            patience=patience,
            task_name=None if task_name == "train" else task_name,
            exclude_vars=exclude_vars or None,
            aggregation_weights=dict(aggregation_weights) if aggregation_weights else None,
            fedprox_mu=fedprox_mu,
            key_metric=key_metric,
            negate_key_metric=negate_key_metric or None,
            min_clients=min_clients,
            train_timeout=train_timeout,
            wait_time_after_min_received=wait_time_after_min_received,
            strategy=strategy,
            strategy_args=dict(strategy_args) if strategy_args else None,
        )

    def initial_model(self) -> Optional[ServerModel]:
        return None if self._model is None else GivenModel(self._model)


class ScatterAndGather(FedAvg):
    """FLARE's older form of the same; its aggregator, persistor and generator are components beside it."""

    _others = {
        **_ROUNDS,
        "persistor_id": idle("", PERSISTOR.why),
        "memory_gc_rounds": idle(1, MEMORY.why),
    }

    def __init__(
        self,
        *,
        min_clients: int = 1000,
        num_rounds: int = 5,
        start_round: int = 0,
        wait_time_after_min_received: float = 10,
        train_timeout: float = 0,
        train_task_name: str = "train",
        aggregator_id: Any = None,
        persistor_id: Any = None,
        shareable_generator_id: Any = None,
        **others: Any,
    ):
        del aggregator_id, persistor_id, shareable_generator_id
        settle(self, others, self._others)
        super().__init__(
            # FLARE's default asks for more than anybody has.
            min_clients=None if min_clients == 1000 else min_clients,
            num_rounds=num_rounds,
            start_round=start_round,
            # Deadlines are measured here where nobody sets one.
            wait_time_after_min_received=None if wait_time_after_min_received == 10 else wait_time_after_min_received or None,
            train_timeout=train_timeout or None,
            task_name=train_task_name,
        )


class FedOpt(FedAvg):
    """FedAvg with an optimizer at the server, which becomes one of the strategies."""

    def __init__(
        self,
        *,
        source_model: Any = None,
        optimizer_args: Optional[Mapping[str, Any]] = None,
        lr_scheduler_args: Optional[Mapping[str, Any]] = None,
        device: Optional[str] = None,
        **arguments: Any,
    ):
        if is_model(source_model):
            arguments.setdefault("model", source_model)
        super().__init__(**arguments, **strategy_of(type(self).__name__, optimizer_args, lr_scheduler_args, device))


class FedBuff(Workflow):
    """Nobody waits for a slow site: every so many updates make a new model, whichever models they were made from. Not FLARE's.

    :param num_updates_for_model: updates that make a new model; half of the sites where it is not given
    :param concurrency: sites that are at work at once
    :param max_staleness: models that may have been made since the one that an update was made from
    :param strategy_args: ``learningRate``, ``stalenessExponent`` and ``weighting`` of ``fed-buff`` in ``docs/strategies.md``
    """

    path = "FedBuff"
    is_training = True

    @checked_call
    def __init__(
        self,
        *,
        num_rounds: int = 5,
        num_updates_for_model: Optional[int] = None,
        concurrency: Optional[int] = None,
        max_staleness: Optional[int] = None,
        min_clients: Optional[int] = None,
        start_round: int = 0,
        model: Any = None,
        stop_cond: Optional[str] = None,
        patience: Optional[int] = None,
        task_name: str = "train",
        exclude_vars: Union[str, Sequence[str], None] = None,
        aggregation_weights: Optional[Mapping[str, float]] = None,
        key_metric: Optional[str] = None,
        negate_key_metric: bool = False,
        strategy_args: Optional[Mapping[str, Any]] = None,
    ):
        self._model = model
        super().__init__(
            num_rounds=num_rounds,
            num_updates_for_model=num_updates_for_model,
            concurrency=concurrency,
            max_staleness=max_staleness,
            min_clients=min_clients,
            start_round=start_round or None,
            stop_cond=stop_cond,
            patience=patience,
            task_name=None if task_name == "train" else task_name,
            exclude_vars=exclude_vars or None,
            aggregation_weights=dict(aggregation_weights) if aggregation_weights else None,
            key_metric=key_metric,
            negate_key_metric=negate_key_metric or None,
            strategy_args=dict(strategy_args) if strategy_args else None,
        )

    def initial_model(self) -> Optional[ServerModel]:
        return None if self._model is None else GivenModel(self._model)


class Scaffold(Workflow):
    """SCAFFOLD: sites correct their steps by control variates."""

    path = "Scaffold"
    is_training = True

    def __init__(
        self,
        *,
        num_clients: Optional[int] = None,
        num_rounds: int = 5,
        start_round: int = 0,
        task_name: str = "train",
        strategy_args: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ):
        settle(self, others, _ROUNDS)
        super().__init__(
            num_clients=num_clients,
            num_rounds=num_rounds,
            start_round=start_round or None,
            task_name=None if task_name == "train" else task_name,
            strategy_args=dict(strategy_args) if strategy_args else None,
        )


class Cyclic(Workflow):
    """The model goes from site to site."""

    path = "Cyclic"

    def __init__(
        self,
        *,
        num_clients: Optional[int] = None,
        num_rounds: int = 5,
        start_round: int = 0,
        order: Union[str, Sequence[str]] = "FIXED",
        task_name: str = "train",
        train_timeout: Optional[float] = None,
        **others: Any,
    ):
        settle(self, others, self._others())
        super().__init__(
            num_clients=num_clients,
            num_rounds=num_rounds,
            start_round=start_round or None,
            order=None if order == "FIXED" else order if isinstance(order, str) else list(order),
            task_name=None if task_name == "train" else task_name,
            train_timeout=train_timeout,
        )

    def _others(self) -> Mapping[str, Other]:
        return _ROUNDS


class CyclicController(Cyclic):
    """FLARE's other name for the same."""

    def _others(self) -> Mapping[str, Other]:
        return {
            **_ROUNDS,
            "memory_gc_rounds": idle(1, MEMORY.why),
            "shareable_generator_id": idle("shareable_generator", "models are sent as they are"),
            "task_assignment_timeout": idle(10, "tasks are pushed, and a site whose task does not move is passed over"),
            "allow_early_termination": refused(False, "a cyclic workflow has all its turns"),
        }


class CrossSiteModelEval(Workflow):
    """Every model is evaluated at every site: the server's, and one of each site's own.

    Time-outs that are FLARE's defaults count as none: here a site has as long as it takes.
    """

    path = "CrossSiteModelEval"
    default_id = "cross_site_eval"
    _others: Mapping[str, Other] = {
        "cross_val_dir": idle("cross_site_val", "results come with `flare job download`"),
        "formatter_id": idle("", "results come with `flare job download`"),
        "cleanup_models": idle(False, "what sites hand in is removed when the job ends"),
        "wait_for_clients_timeout": idle(300, "the job's sites are there when it begins"),
        "task_check_period": idle(0.5, POLLING),
        "server_models": idle(None, "the global model and the best one are evaluated"),
        "persistor_id": PERSISTOR,
    }

    def __init__(
        self,
        *,
        submit_model_timeout: float = 600,
        validation_timeout: float = 6000,
        submit_model_task_name: str = "submit_model",
        validation_task_name: str = "validate",
        participating_clients: Optional[Sequence[str]] = None,
        model_locator_id: Any = None,
        **others: Any,
    ):
        # What a locator finds in FLARE is in the server's store.
        del model_locator_id
        settle(self, others, self._others)
        arguments: Dict[str, Any] = {
            "validation_timeout": None if validation_timeout == 6000 else validation_timeout,
            "validation_task_name": None if validation_task_name == "validate" else validation_task_name,
            "participating_clients": list(participating_clients) if participating_clients else None,
        }
        if submit_model_task_name and self.path != "GlobalModelEval":
            arguments["submit_model_timeout"] = None if submit_model_timeout == 600 else submit_model_timeout
            arguments["submit_model_task_name"] = None if submit_model_task_name == "submit_model" else submit_model_task_name
        elif not submit_model_task_name:
            # Without a task that asks sites for models, only those of the server are evaluated.
            self.path = "GlobalModelEval"
        super().__init__(**arguments)


class CrossSiteEval(CrossSiteModelEval):
    """FLARE's other name for the same."""


class GlobalModelEval(CrossSiteModelEval):
    """The server's models are evaluated at every site."""

    path = "GlobalModelEval"


def check_workflow(workflow: Workflow) -> None:
    """Refuses a class that is derived from one of ours: the server would not run what it adds.

    :raises JobError:
    """
    kind = type(workflow)
    if kind.__module__.split(".")[0] != __name__.split(".")[0]:
        raise JobError(f"{kind.__module__}.{kind.__qualname__} is a class of your own: no code of a job runs at the server")
