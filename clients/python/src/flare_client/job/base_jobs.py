"""FLARE's jobs with a part of their components."""

from typing import Any, Dict, Optional, Sequence

from .arguments import Other, checked_call, idle, settle
from .fed_job import FedJob
from .initial_model import GivenModel
from .models import PTModel
from .server_components import IntimeModelSelector
from .workflows import FedAvg

_THERE = "what it does is done in any case"


class BaseFedJob(FedJob):
    """A job with a first model and the metric by which the best one is chosen."""

    _others: Dict[str, Other] = {
        "validation_json_generator": idle(None, _THERE),
        "convert_to_fed_event": idle(None, _THERE),
        "analytics_receiver": idle(None, "what scripts track is shown by `flare job metrics` and on the dashboard"),
        "metrics_artifact_writer": idle(None, "metrics are in the journal of the job"),
        "model_locator": idle(None, "the server's models are in its store"),
    }

    def __init__(
        self,
        initial_model: Any = None,
        name: str = "fed_job",
        min_clients: int = 1,
        mandatory_clients: Optional[Sequence[str]] = None,
        key_metric: str = "accuracy",
        *,
        key_metric_mode: str = "max",
        model_selector: Optional[IntimeModelSelector] = None,
        model_persistor: Optional[GivenModel] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        super().__init__(name, min_clients, mandatory_clients)
        selector = model_selector or IntimeModelSelector(key_metric=key_metric, negate_key_metric=key_metric_mode == "min")
        self.to_server(selector)
        if initial_model is not None:
            self.to_server(PTModel(initial_model, model_persistor))
        elif model_persistor is not None:
            self.to_server(model_persistor)


class FedAvgJob(BaseFedJob):
    """The same with FedAvg: sites' scripts are left to add."""

    @checked_call
    def __init__(
        self,
        initial_model: Any,
        n_clients: int,
        num_rounds: int,
        name: str = "fed_job",
        min_clients: int = 1,
        mandatory_clients: Optional[Sequence[str]] = None,
        key_metric: str = "accuracy",
        key_metric_mode: str = "max",
    ):
        super().__init__(initial_model, name, min_clients, mandatory_clients, key_metric, key_metric_mode=key_metric_mode)
        self.to_server(FedAvg(num_clients=n_clients, num_rounds=num_rounds))
