"""FLARE's components of the server that say something to the training workflow here, or nothing at all."""

from typing import Any, Mapping, Optional

from .arguments import checked_call, idle, refused, settle, without_none
from .component import IdleComponent, WorkflowSetting
from .errors import JobError
from .kinds import DataKind
from .optimizers import strategy_of


class IntimeModelSelector(WorkflowSetting):
    """The metric by which the best model is chosen."""

    default_id = "model_selector"
    _others = {
        "weigh_by_local_iter": idle(False, "metrics are averaged with the weights of the updates"),
        "aggregation_weights": idle(None, "metrics are averaged with the weights of the updates; give factors to the workflow"),
        "validation_metric_name": idle("initial_metrics", "a script's metrics are those that it sends"),
    }

    def __init__(self, *, key_metric: str = "val_accuracy", negate_key_metric: bool = False, **others: Any):
        settle(self, others, self._others)
        self.key_metric = key_metric
        self.negate_key_metric = negate_key_metric

    def workflow_arguments(self) -> Mapping[str, Any]:
        return without_none(key_metric=self.key_metric, negate_key_metric=self.negate_key_metric or None)


class InTimeAccumulateWeightedAggregator(WorkflowSetting):
    """The weighted mean, with factors for sites and without some tensors."""

    default_id = "aggregator"
    _others = {"weigh_by_local_iter": refused(True, "updates are weighted with their numbers of samples; choose another 'strategy'")}

    def __init__(
        self,
        *,
        exclude_vars: Optional[str] = None,
        aggregation_weights: Optional[Mapping[str, float]] = None,
        expected_data_kind: str = DataKind.WEIGHT_DIFF,
        **others: Any,
    ):
        settle(self, others, self._others)
        if isinstance(exclude_vars, Mapping) or isinstance(expected_data_kind, Mapping):
            raise JobError("InTimeAccumulateWeightedAggregator: one model is aggregated here, not several by name")
        self.exclude_vars = exclude_vars
        self.aggregation_weights = aggregation_weights

    def workflow_arguments(self) -> Mapping[str, Any]:
        weights = dict(self.aggregation_weights) if self.aggregation_weights else None
        return without_none(exclude_vars=self.exclude_vars or None, aggregation_weights=weights)


class PTFedOptModelShareableGenerator(WorkflowSetting):
    """An optimizer of PyTorch at the server, which becomes one of the strategies."""

    default_id = "shareable_generator"

    @checked_call
    def __init__(
        self,
        *,
        optimizer_args: Optional[Mapping[str, Any]] = None,
        lr_scheduler_args: Optional[Mapping[str, Any]] = None,
        source_model: Any = "model",
        device: Optional[str] = None,
    ):
        del source_model
        self._strategy = strategy_of(type(self).__name__, optimizer_args, lr_scheduler_args, device)

    def workflow_arguments(self) -> Mapping[str, Any]:
        return self._strategy


class FullModelShareableGenerator(IdleComponent):
    """Models are sent as they are."""

    default_id = "shareable_generator"
    is_told = False


class PTFileModelLocator(IdleComponent):
    """The server's models are in its store."""

    default_id = "locator"
    is_told = False


class NPModelLocator(IdleComponent):
    """The server's models are in its store. Several models by name are not: see :class:`flare_client.recipe.NumpyCrossSiteEvalRecipe`."""

    default_id = "locator"
    is_told = False

    @checked_call
    def __init__(self, model_dir: Any = None, model_name: Any = None):
        super().__init__()
        if model_dir is not None or model_name is not None:
            raise JobError("NPModelLocator: models are not found in folders of the server; the job's first model goes with it")


class ValidationJsonGenerator(IdleComponent):
    """What came of an evaluation is in the job's result in any case."""

    default_id = "json_generator"
    is_told = False


class ConvertToFedEvent(IdleComponent):
    """What a script tracks goes to the server in any case."""

    default_id = "event_to_fed"
    is_told = False


class _Receiver(IdleComponent):
    default_id = "receiver"
    why = "what scripts track is shown by `flare job metrics` and on the dashboard, without a receiver"


class TBAnalyticsReceiver(_Receiver):
    """TensorBoard's files."""


class MLflowReceiver(_Receiver):
    """An MLflow server."""


class WandBReceiver(_Receiver):
    """Weights & Biases."""
